import type { InstanceMetadata } from '#adapters/instance-metadata.ts'
import type { Location } from './source.ts'

/** Where an EC2 instance is. What its metadata service does not know, or not now, is left out. */
export async function instanceLocation(metadata: InstanceMetadata | undefined): Promise<Location> {
  if (!metadata) return {}
  const get = async (path: string): Promise<string | undefined> =>
    (await metadata.get(`meta-data/${path}`).catch(() => undefined))?.trim() || undefined
  const mac = await get('mac')
  const [availabilityZone, availabilityZoneId, privateIpAddress, publicIpAddress, vpcId] = await Promise.all([
    get('placement/availability-zone'),
    get('placement/availability-zone-id'),
    get('local-ipv4'),
    get('public-ipv4'),
    mac === undefined ? undefined : get(`network/interfaces/macs/${mac}/vpc-id`),
  ])
  return {
    ...(availabilityZone !== undefined && { availabilityZone }),
    ...(availabilityZoneId !== undefined && { availabilityZoneId }),
    ...(privateIpAddress !== undefined && { privateIpAddress }),
    ...(publicIpAddress !== undefined && { publicIpAddress }),
    ...(vpcId !== undefined && { vpcId }),
  }
}
