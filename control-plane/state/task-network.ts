import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import { fargateZoneKey } from '#domain/fargate.ts'
import type { TaskNetwork } from '#domain/network-interface.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Task } from '#domain/task.ts'
import type { View } from './store.ts'

/** What is known of where a task is to be. */
interface TaskPlace extends Pick<Task, 'clusterArn' | 'group' | 'launchType'> {
  readonly availabilityZone?: string | undefined
  readonly fraction: () => number
}

/**
 * What the network interface of a task is to be; undefined for a task that has none. The subnets are in the order in
 * which they are tried, from a place that chance chooses: those of the zone that is known first; on Fargate, where the
 * subnet decides on the zone, those of the zone with the fewest tasks of the group.
 */
export function taskNetwork(
  view: View,
  { networkMode }: Pick<TaskDefinition, 'networkMode'>,
  { awsvpcConfiguration }: NetworkConfiguration = {},
  place: TaskPlace,
): TaskNetwork | undefined {
  if (networkMode !== 'awsvpc' || !awsvpcConfiguration) return undefined
  const { subnets = [], securityGroups = [], assignPublicIp } = awsvpcConfiguration
  const first = Math.floor(place.fraction() * subnets.length)
  const turned = [...subnets.slice(first), ...subnets.slice(0, first)]
  const zoneOf = (subnetId = ''): string | undefined => view.find('subnet', subnetId)?.availabilityZone
  const onFargate = place.launchType === 'FARGATE'
  const rank = (subnetId: string): number => {
    const zone = zoneOf(subnetId)
    if (!onFargate) return zone === place.availabilityZone ? 0 : 1
    return zone === undefined ? Infinity : view.count('task', 'fargateZone', fargateZoneKey(place, zone))
  }
  const ranks = new Map(turned.map((subnetId) => [subnetId, rank(subnetId)]))
  const ranked = turned.toSorted(
    (one, other) => Math.sign((ranks.get(one) ?? 0) - (ranks.get(other) ?? 0)) || 0,
  )
  const availabilityZone = onFargate ? zoneOf(ranked[0]) : undefined
  return {
    subnets: ranked,
    securityGroups,
    assignPublicIp: assignPublicIp === 'ENABLED',
    ...(availabilityZone !== undefined && { availabilityZone }),
  }
}
