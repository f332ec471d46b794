import { createHmac } from 'node:crypto'
import type { InstanceDescription } from './description.ts'

type Tree = string | { readonly [name: string]: Tree }

const isoSeconds = (timeMs: number): string => new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z')

/**
 * What the metadata service has at a path (`meta-data/instance-id`, `user-data`), or undefined where it answers 404. A
 * directory is the list of its entries, those that are directories with a `/` behind them.
 */
export function metadata(instance: InstanceDescription, path: string, now: number): string | undefined {
  let place: Tree | undefined = root(instance, now)
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (typeof place === 'string') return undefined
    place = place !== undefined && Object.hasOwn(place, name) ? place[name] : undefined
  }
  return typeof place === 'object' ? listing(place) : place
}

function listing(directory: { readonly [name: string]: Tree }): string {
  const names = Object.entries(directory).map(([name, entry]) => {
    // The list of roles and of interfaces is what clients read to go on: AWS marks keys as 0=name.
    if (/^\d+$/.test(name) && typeof entry === 'object') return `${name}=${entry['name'] as string}`
    return typeof entry === 'object' ? `${name}/` : name
  })
  return names.join('\n')
}

function root(instance: InstanceDescription, now: number): Tree {
  const document = identityDocument(instance)
  return {
    dynamic: {
      'instance-identity': {
        document,
        // Whoever holds the instance's own key can check it; AWS's public keys are not ours to sign with.
        signature: createHmac('sha256', instance.role.secretAccessKey).update(document).digest('base64'),
      },
    },
    'meta-data': metaData(instance, now),
    ...(instance.userData !== undefined && { 'user-data': userData(instance.userData) }),
  }
}

function userData(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1')
}

function metaData(instance: InstanceDescription, now: number): Tree {
  const region = instance.region
  return {
    'ami-id': instance.imageId,
    'ami-launch-index': String(instance.launchIndex),
    'ami-manifest-path': '(unknown)',
    hostname: instance.privateDnsName,
    iam: {
      info: JSON.stringify(
        {
          Code: 'Success',
          LastUpdated: isoSeconds(now),
          InstanceProfileArn: instance.role.instanceProfileArn,
          InstanceProfileId: instance.role.instanceProfileId,
        },
        null,
        2,
      ),
      'security-credentials': { [instance.role.name]: credentials(instance, now) },
    },
    'instance-action': 'none',
    'instance-id': instance.instanceId,
    'instance-life-cycle': 'on-demand',
    'instance-type': instance.instanceType,
    'local-hostname': instance.privateDnsName,
    'local-ipv4': instance.privateIpAddress,
    mac: instance.macAddress,
    network: { interfaces: { macs: { [instance.macAddress]: networkInterface(instance) } } },
    placement: {
      'availability-zone': instance.availabilityZone,
      'availability-zone-id': instance.availabilityZoneId,
      region,
    },
    profile: 'default-hvm',
    ...(instance.publicDnsName !== undefined && { 'public-hostname': instance.publicDnsName }),
    ...(instance.publicIpAddress !== undefined && { 'public-ipv4': instance.publicIpAddress }),
    ...(instance.keyName !== undefined && { 'public-keys': { 0: { name: instance.keyName } } }),
    'reservation-id': instance.reservationId,
    'security-groups': instance.securityGroups.map(({ groupName }) => groupName).join('\n'),
    services: { domain: 'amazonaws.com', partition: 'aws' },
  }
}

function networkInterface(instance: InstanceDescription): Tree {
  return {
    'device-number': '0',
    'interface-id': instance.networkInterfaceId,
    'local-hostname': instance.privateDnsName,
    'local-ipv4s': instance.privateIpAddress,
    mac: instance.macAddress,
    'owner-id': instance.accountId,
    ...(instance.publicDnsName !== undefined && { 'public-hostname': instance.publicDnsName }),
    ...(instance.publicIpAddress !== undefined && { 'public-ipv4s': instance.publicIpAddress }),
    'security-group-ids': instance.securityGroups.map(({ groupId }) => groupId).join('\n'),
    'security-groups': instance.securityGroups.map(({ groupName }) => groupName).join('\n'),
    'subnet-id': instance.subnetId,
    'subnet-ipv4-cidr-block': instance.subnetCidrBlock,
    'vpc-id': instance.vpcId,
    'vpc-ipv4-cidr-block': instance.vpcCidrBlock,
    'vpc-ipv4-cidr-blocks': instance.vpcCidrBlock,
  }
}

/** The role's key. It lives as long as the instance, so each look finds it good for six hours more. */
function credentials({ role }: InstanceDescription, now: number): string {
  return JSON.stringify(
    {
      Code: 'Success',
      LastUpdated: isoSeconds(now),
      Type: 'AWS-HMAC',
      AccessKeyId: role.accessKeyId,
      SecretAccessKey: role.secretAccessKey,
      Token: role.sessionToken,
      Expiration: isoSeconds(now + 6 * 3_600_000),
    },
    null,
    2,
  )
}

function identityDocument(instance: InstanceDescription): string {
  return JSON.stringify(
    {
      accountId: instance.accountId,
      architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
      availabilityZone: instance.availabilityZone,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: instance.imageId,
      instanceId: instance.instanceId,
      instanceType: instance.instanceType,
      kernelId: null,
      pendingTime: isoSeconds(instance.launchTime),
      privateIp: instance.privateIpAddress,
      ramdiskId: null,
      region: instance.region,
      version: '2017-09-30',
    },
    null,
    2,
  )
}
