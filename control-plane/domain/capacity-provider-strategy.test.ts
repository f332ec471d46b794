import type { CapacityProviderStrategyItem } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { providerForNext, providerToStopFrom } from './capacity-provider-strategy.ts'

/** `a1:3` is a provider `a` of base 1 and weight 3. */
function strategyOf(text: string): CapacityProviderStrategyItem[] {
  return text.split(' ').map((item) => {
    const [, capacityProvider = '', base, weight] = /^([a-z]+)(\d*):(\d+)$/.exec(item) ?? []
    return { capacityProvider, weight: Number(weight), ...(base && { base: Number(base) }) }
  })
}

test.each([
  ['on:1', 4, 'on on on on'],
  ['on1:1 spot:3', 9, 'on spot spot on spot spot spot on spot'],
  ['on2:0 spot:1', 5, 'on on spot spot spot'],
  ['on:1 spot:1', 4, 'on spot on spot'],
  ['on:0 spot:2', 3, 'spot spot spot'],
  ['on:1 spot3:4', 6, 'spot spot spot spot spot spot'],
])('of %s the first %i tasks go to %s', (text, count, expected) => {
  const strategy = strategyOf(text)
  const counts = new Map<string, number>()
  const order = Array.from({ length: count }, () => {
    const name = providerForNext(strategy, counts) ?? ''
    counts.set(name, (counts.get(name) ?? 0) + 1)
    return name
  })
  expect(order.join(' ')).toBe(expected)
})

test('a full base without any weight leaves no provider', () => {
  expect(providerForNext(strategyOf('on1:0'), new Map([['on', 1]]))).toBeUndefined()
  expect(providerForNext([], new Map())).toBeUndefined()
})

test.each([
  ['on1:1 spot:3', { on: 3, spot: 6 }, 'spot'],
  ['on1:1 spot:3', { on: 1, spot: 1 }, 'spot'],
  ['on1:1 spot:3', { on: 1 }, 'on'],
  ['on:1 spot:1', { on: 2, spot: 2 }, 'spot'],
  ['on1:0 spot:1', { on: 2, spot: 5 }, 'on'],
  ['on:1 spot:1', { on: 5, spot: 5, gone: 1 }, 'gone'],
])('of %s with %j the next to stop is on %s', (text, counts, expected) => {
  expect(providerToStopFrom(strategyOf(text), new Map(Object.entries(counts)))).toBe(expected)
})

test('of no tasks none is stopped', () => {
  expect(providerToStopFrom(strategyOf('on:1'), new Map([['on', 0]]))).toBeUndefined()
})
