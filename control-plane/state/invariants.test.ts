import { present } from '@berth/std/assert.ts'
import { beforeEach, expect, test } from 'vitest'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { runTask } from '#api/ecs/tasks/run-task.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Deployment, Service } from '#domain/service.ts'
import type { Task } from '#domain/task.ts'
import { brokenInvariants, brokenTables, overfull } from './invariants.ts'
import type { Transaction } from './store.ts'

let context: TestContext
let task: Task
beforeEach(async () => {
  context = await testContext()
  const cluster = putCluster(context, 'default')
  putContainerInstance(context, cluster, 'a')
  putTaskDefinition(context, 'web:1', { portMappings: [{ containerPort: 80, hostPort: 80 }] })
  createService.run(context, { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
  runTask.run(context, { taskDefinition: 'web' })
  task = present(context.store.list('task')[0], 'the task')
})

const broken = (change: (tx: Transaction) => void): string[] => {
  context.store.update((tx) => change(tx) as undefined)
  return [...brokenInvariants(context.store, context.fleet), ...brokenTables(context.store)]
}
const service = (): Service => present(context.store.list('service')[0], 'the service')
const deployment = (): Deployment => present(context.store.list('deployment')[0], 'its deployment')

test('nothing is broken of rows that operations made', () => {
  expect(broken(() => undefined)).toEqual([])
  expect(overfull(context.store, context.store.list('task'))).toEqual([])
})

test.each<[string, (tx: Transaction) => void, string]>([
  [
    'a task of a cluster that is gone',
    (tx) => tx.delete('cluster', task.clusterArn),
    'is of the cluster arn:aws:ecs:us-east-1:000000000000:cluster/default, which is not there',
  ],
  [
    'a task on no instance',
    (tx) => tx.delete('containerInstance', task.containerInstanceArn ?? ''),
    'is of the containerInstance',
  ],
  [
    'two tasks with one port',
    (tx) => tx.put('task', { ...task, taskArn: 'arn:other' }),
    'two tasks with one of the ports',
  ],
  [
    'a stopped task that is to run',
    (tx) => tx.put('task', { ...task, lastStatus: 'STOPPED', stoppedAt: 1 }),
    'is STOPPED and is to run',
  ],
  [
    'a service with two PRIMARY deployments',
    (tx) => tx.put('deployment', { ...deployment(), deploymentId: 'ecs-svc/2' }),
    'has 2 PRIMARY deployments',
  ],
  [
    'a service with another revision than its deployment',
    (tx) => {
      const { taskDefinitionArn } = putRevision(tx)
      tx.put('service', { ...service(), taskDefinitionArn })
    },
    'has another revision than its PRIMARY deployment',
  ],
  ['an orphan', (tx) => tx.delete('service', service().serviceArn), 'has the serviceArn'],
  [
    'tags of nothing',
    (tx) =>
      tx.put('resourceTags', { resourceArn: 'arn:aws:ecs:a:b:task/x/y', tags: [{ key: 'a', value: '' }] }),
    'tags of arn:aws:ecs:a:b:task/x/y, which is not there',
  ],
  [
    'a row that is no JSON',
    (tx) => tx.put('task', { ...task, createdAt: Number.NaN }),
    'task.createdAt is NaN',
  ],
  [
    'a deleted cluster that is not empty',
    (tx) => tx.put('cluster', { ...present(tx.find('cluster', task.clusterArn), 'it'), status: 'INACTIVE' }),
    'is INACTIVE and has something in it',
  ],
])('says that there is %s', (_, change, said) => {
  expect(broken(change).join('\n')).toContain(said)
})

test('says that an instance holds more than it has', () => {
  const more = { ...task, taskArn: 'arn:other', demand: { ...task.demand, cpu: 5000 } }
  context.store.update((tx) => tx.put('task', more))
  expect(overfull(context.store, [more])).toEqual([expect.stringContaining('more than it has')])
})

function putRevision(tx: Transaction): { readonly taskDefinitionArn: string } {
  const row = present(tx.list('taskDefinition')[0], 'the task definition')
  const next = { ...row, revision: 1, taskDefinitionArn: `${row.taskDefinitionArn}0` }
  tx.put('taskDefinition', next)
  return next
}
