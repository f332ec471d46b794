/**
 * How the tasks of a strategy are shared among its providers: first the base, then in the proportion of the weights.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html
 */
import type { CapacityProviderStrategyItem } from '@aws-sdk/client-ecs'

type Strategy = readonly CapacityProviderStrategyItem[]
/** How many tasks each provider has, by its name as the strategy has it; one that is not there has none. */
export type ProviderCounts = ReadonlyMap<string, number>

/**
 * The provider of the next task. None stands in for another: when the one chosen has no room, the task waits or fails.
 * Undefined when no task may be placed: no item has a weight, and the base is full.
 */
export function providerForNext(strategy: Strategy, counts: ProviderCounts): string | undefined {
  const lacking = strategy.find((item) => countOf(item, counts) < baseOf(item))
  if (lacking) return nameOf(lacking)
  let best: CapacityProviderStrategyItem | undefined
  let least = Infinity
  for (const item of strategy) {
    const { weight = 0 } = item
    const load = (countOf(item, counts) - baseOf(item) + 1) / weight
    if (weight > 0 && load < least) {
      least = load
      best = item
    }
  }
  return best && nameOf(best)
}

/**
 * The provider whose task goes first when there are too many: the reverse of the choice above, so the base goes last.
 * Tasks on a provider that the strategy no longer has, or has without a weight, go before all others. Undefined when
 * there is no task.
 */
export function providerToStopFrom(strategy: Strategy, counts: ProviderCounts): string | undefined {
  const known = new Map(strategy.map((item, place) => [nameOf(item), { item, place }]))
  let most: { readonly name: string; readonly load: number; readonly place: number } | undefined
  for (const [name, count] of counts) {
    if (count === 0) continue
    const { item, place } = known.get(name) ?? { item: undefined, place: strategy.length }
    const load = item ? surplus(item, count) : Infinity
    // Among equals the last of the list goes first: it came last.
    if (!most || load > most.load || (load === most.load && place > most.place)) most = { name, load, place }
  }
  return most?.name
}

function surplus(item: CapacityProviderStrategyItem, count: number): number {
  const { weight = 0 } = item
  const over = count - baseOf(item)
  if (over <= 0) return -Infinity
  return weight > 0 ? over / weight : Infinity
}

function nameOf({ capacityProvider = '' }: CapacityProviderStrategyItem): string {
  return capacityProvider
}

function baseOf({ base = 0 }: CapacityProviderStrategyItem): number {
  return base
}

function countOf(item: CapacityProviderStrategyItem, counts: ProviderCounts): number {
  return counts.get(nameOf(item)) ?? 0
}
