import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import type { InstanceLoad } from './instance-load.ts'

/** How instances rank under one strategy. */
export interface Preference {
  /** As AWS writes it: `spread(attribute:ecs.availability-zone)`, `binpack(MEMORY)`. */
  readonly name: string
  /** Less is better; of a spread over an attribute, the tasks of the instance alone. */
  readonly rankOf: (load: InstanceLoad) => number
  /** What a spread over an attribute counts tasks by: those of all instances of the cluster with the same value. */
  readonly attribute?: string
}

/** The strategies in their order; `random` ends the chain, as nothing is left for those behind it to choose. */
export function preferencesOf(
  strategies: readonly PlacementStrategy[],
  group: string,
): readonly Preference[] {
  const random = strategies.findIndex(({ type }) => type === 'random')
  const chain = random === -1 ? strategies : strategies.slice(0, random)
  return chain.map(({ type, field = '' }) => {
    const name = `${type}(${field})`
    if (type === 'binpack') {
      const kind = binpackKind(field)
      return { name, rankOf: ({ free }) => free[kind] }
    }
    const rankOf = ({ groups }: InstanceLoad): number => groups.get(group) ?? 0
    const attribute = spreadAttribute(field)
    return attribute === undefined ? { name, rankOf } : { name, rankOf, attribute }
  })
}

/** AWS takes the field of a binpack in any case. */
export function binpackKind(field: string): 'cpu' | 'memory' {
  return field.toLowerCase() === 'cpu' ? 'cpu' : 'memory'
}

/** The attribute that a spread is over; undefined when it is over instances. */
export function spreadAttribute(field: string): string | undefined {
  return field.startsWith('attribute:') ? field.slice('attribute:'.length) : undefined
}
