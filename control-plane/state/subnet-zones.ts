import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import type { View } from './store.ts'

/**
 * The availability zones of the subnets that a task of network mode awsvpc may be in. Undefined when it names none, or
 * one that is not known here: nothing can be said of its place then.
 */
export function zonesOfSubnets(
  view: View,
  { awsvpcConfiguration }: NetworkConfiguration = {},
): readonly string[] | undefined {
  const { subnets = [] } = awsvpcConfiguration ?? {}
  const known = subnets.flatMap((subnetId) => view.find('subnet', subnetId) ?? [])
  if (known.length === 0 || known.length < subnets.length) return undefined
  return [...new Set(known.map(({ availabilityZone }) => availabilityZone))]
}
