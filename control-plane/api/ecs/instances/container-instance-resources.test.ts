/** What an instance has, and what its tasks leave of it. */
import type { PortMapping, Resource } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { observeAgentConnected } from '#domain/container-instance.ts'
import { registerContainerInstance } from './container-instance-registration.ts'
import { describeContainerInstances } from './container-instance.ts'
import { runTask } from '#api/ecs/tasks/run-task.ts'
import { submitTaskStateChange } from './submit.ts'
import { withApp } from '#api/ecs/task-definitions/task-definition-testing.ts'
import { registerTaskDefinition } from '#api/ecs/task-definitions/task-definition.ts'
import { putCluster } from '#api/ecs/testing-rows.ts'

const reserved = ['22', '2375', '2376', '51678', '51679']
const byNumber = (one: string, other: string): number => Number(one) - Number(other)
/** In an order that is not AWS's. */
const totalResources: Resource[] = [
  { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: [] },
  { name: 'PORTS', type: 'STRINGSET', stringSetValue: reserved },
  { name: 'MEMORY', type: 'INTEGER', integerValue: 3840 },
  { name: 'CPU', type: 'INTEGER', integerValue: 2048 },
]

async function withInstance() {
  const context = await testContext()
  putCluster(context, 'default')
  const { containerInstance } = registerContainerInstance.run(context, {
    totalResources,
    attributes: [{ name: 'ecs.capability.network.container-port-range' }],
  })
  const arn = containerInstance?.containerInstanceArn ?? ''
  context.store.update((tx) => {
    const row = tx.find('containerInstance', arn)
    if (row) tx.put('containerInstance', observeAgentConnected(row, {}))
  })
  const remaining = (name: string): Resource | undefined => {
    const { containerInstances } = describeContainerInstances.run(context, { containerInstances: [arn] })
    return containerInstances?.[0]?.remainingResources?.find((resource) => resource.name === name)
  }
  const run = (...portMappings: PortMapping[]): string => {
    registerTaskDefinition.run(context, withApp({ cpu: 512, memory: 512, portMappings }))
    return runTask.run(context, { taskDefinition: 'f' }).tasks?.[0]?.taskArn ?? ''
  }
  return { context, containerInstance, remaining, run }
}

test('a new instance has left what it registered, in the order in which AWS shows it', async () => {
  const { containerInstance } = await withInstance()
  expect(containerInstance?.registeredResources).toEqual([
    { name: 'CPU', type: 'INTEGER', doubleValue: 0, longValue: 0, integerValue: 2048 },
    { name: 'MEMORY', type: 'INTEGER', doubleValue: 0, longValue: 0, integerValue: 3840 },
    {
      name: 'PORTS',
      type: 'STRINGSET',
      doubleValue: 0,
      longValue: 0,
      integerValue: 0,
      stringSetValue: reserved,
    },
    {
      name: 'PORTS_UDP',
      type: 'STRINGSET',
      doubleValue: 0,
      longValue: 0,
      integerValue: 0,
      stringSetValue: [],
    },
  ])
  expect(containerInstance?.remainingResources).toEqual(containerInstance?.registeredResources)
})

test('a task takes its static ports and gives them back when it has STOPPED', async () => {
  const { context, remaining, run } = await withInstance()
  const task = run(
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 53, hostPort: 53, protocol: 'udp' },
  )
  expect(remaining('CPU')?.integerValue).toBe(1536)
  expect(remaining('MEMORY')?.integerValue).toBe(3328)
  expect(remaining('PORTS')?.stringSetValue).toEqual([...reserved, '8080'].toSorted(byNumber))
  expect(remaining('PORTS_UDP')?.stringSetValue).toEqual(['53'])
  submitTaskStateChange.run(context, { task, status: 'STOPPED' })
  expect(remaining('CPU')?.integerValue).toBe(2048)
  expect(remaining('PORTS')?.stringSetValue).toEqual(reserved)
  expect(remaining('PORTS_UDP')?.stringSetValue).toEqual([])
})

test('dynamic ports are not counted', async () => {
  const { remaining, run } = await withInstance()
  expect(run({ containerPort: 80 }, { containerPortRange: '100-200' })).not.toBe('')
  expect(remaining('PORTS')?.stringSetValue).toEqual(reserved)
})
