import { expect, test } from 'vitest'
import type { PayloadContainer } from '@berth/agent-protocol/payload.ts'
import { cpuSharesOf, cpuWeightOf, limitsFault, taskLimits } from './task-limits.ts'

const task = { arn: 'arn:task/1', desiredStatus: 'RUNNING' } as const
const containers = (...given: ReadonlyArray<Partial<PayloadContainer>>): readonly PayloadContainer[] =>
  given.map((container, index) => ({
    name: `c${index}`,
    image: 'web:1',
    essential: true,
    cpu: 0,
    memory: 0,
    environment: {},
    portMappings: [],
    volumesFrom: [],
    mountPoints: [],
    overrides: '{}',
    dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
    ...container,
  }))

test.each([
  [0, 2],
  [1, 2],
  [2, 2],
  [1024, 1024],
  [262_144, 262_144],
  [999_999, 262_144],
])('%i CPU units are %i shares', (units, shares) => {
  expect(cpuSharesOf(units)).toBe(shares)
})

test.each([
  [2, 1],
  [1024, 39],
  [262_144, 10_000],
])('%i shares weigh %i', (shares, weight) => {
  expect(cpuWeightOf(shares)).toBe(weight)
})

test.each([
  ['a quarter of a vCPU', { cpu: 0.25 }, 0, { cpuQuotaUs: 25_000 }],
  ['a size', { cpu: 2, memory: 512 }, 0, { cpuQuotaUs: 200_000, memoryBytes: 512 * 2 ** 20 }],
  ['memory alone', { memory: 6 }, 0, { cpuShares: 514, memoryBytes: 6 * 2 ** 20 }],
  ['nothing but processes', {}, 9, { cpuShares: 514, pidsMax: 9 }],
] as const)('a task with %s', (_, size, pidsMax, limits) => {
  const made = { ...task, ...size, containers: containers({ cpu: 512 }, {}) }
  expect(taskLimits(made, pidsMax)).toEqual(limits)
})

test('all containers together weigh no more than the kernel allows', () => {
  const made = { ...task, containers: containers({ cpu: 200_000 }, { cpu: 200_000 }) }
  expect(taskLimits(made)).toEqual({ cpuShares: 262_144 })
})

test.each([
  [{ memory: 64 }, 64, undefined],
  [{ memory: 64 }, 65, 'container memory limit(65) greater than task memory limit(64) for container c0'],
  [{}, 65, undefined],
])('a task with %j and a container of %i MiB: %s', (size, memory, fault) => {
  expect(limitsFault({ ...task, ...size, containers: containers({ memory }) })).toBe(fault)
})
