import { expect, test } from 'vitest'
import { assignGpus, freeGpus } from './gpus.ts'

const asking = (value: string) => ({ resourceRequirements: [{ type: 'GPU' as const, value }] })
const instance = {
  registeredResources: [
    { name: 'CPU', integerValue: 1024 },
    { name: 'GPU', stringSetValue: ['g0', 'g1', 'g2', 'g3'] },
  ],
}
const container = (...gpuIds: readonly string[]) =>
  ({
    containerArn: 'arn',
    name: 'c',
    image: 'i',
    lastStatus: 'RUNNING',
    networkBindings: [],
    healthStatus: 'UNKNOWN',
    cpu: '0',
    ...(gpuIds.length > 0 && { gpuIds }),
  }) as const

test('what tasks hold is not free', () => {
  const tasks = [{ containers: [container('g1'), container()] }, { containers: [container('g3')] }]
  expect(freeGpus(instance, tasks)).toEqual(['g0', 'g2'])
  expect(freeGpus({ registeredResources: [] }, tasks)).toEqual([])
})

test('each container gets as many as it asks for, and each GPU goes to one', () => {
  expect(assignGpus([asking('2'), {}, asking('1')], ['g0', 'g2', 'g3'])).toEqual([['g0', 'g2'], [], ['g3']])
})
