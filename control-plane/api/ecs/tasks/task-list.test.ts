import type { ListTasksRequest } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { daemonArnOf } from '#domain/daemon.ts'
import { newTask, type Task, type TaskRequest, placedOn, requestStop } from '#domain/task.ts'
import { listTasks } from './task-list.ts'
import {
  putCluster,
  putContainerInstance,
  putService,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
const idOf = (name: string): string => name.padStart(32, '0')
const list = (input: ListTasksRequest = {}) => listTasks.run(context, { cluster: 'c', ...input }).taskArns

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putContainerInstance(context, cluster, idOf('one'))
  putContainerInstance(context, cluster, idOf('two'))
})

interface Made extends Partial<Omit<TaskRequest, 'taskDefinition'>> {
  readonly family?: string
  readonly instance?: string
  readonly state?: 'asked to stop' | 'stopped'
}

function put({ family = 'web', instance, state, ...more }: Made = {}): string {
  const { store, scope, ids } = context
  const row = store.find(
    'containerInstance',
    `arn:aws:ecs:us-east-1:000000000000:container-instance/c/${idOf(instance ?? '')}`,
  )
  const made = newTask({
    scope,
    cluster,
    taskDefinition: putTaskDefinition(context, `${family}:1`),
    ids,
    now: 0,
    ...(row && { placement: placedOn(row) }),
    group: `family:${family}`,
    launchType: 'EC2',
    enableExecuteCommand: false,
    ...more,
  })
  const stopping: Task =
    state === undefined ? made : requestStop(made, { stopCode: 'UserInitiated', stoppedReason: 'x', now: 1 })
  store.update((tx) =>
    tx.put('task', state === 'stopped' ? { ...stopping, lastStatus: 'STOPPED', stoppedAt: 2 } : stopping),
  )
  return made.taskArn
}

function putDaemon(daemonName: string): string {
  const daemonArn = daemonArnOf(cluster, daemonName)
  context.store.update((tx) =>
    tx.put('daemon', {
      ...context.scope,
      daemonArn,
      daemonName,
      clusterArn: cluster.clusterArn,
      status: 'ACTIVE',
      daemonRevisionArn: daemonArn,
      capacityProviderArns: [],
      deploymentArn: daemonArn,
      createdAt: 0,
      updatedAt: 0,
    }),
  )
  return daemonArn
}

describe('of tasks of all kinds', () => {
  let arns: Record<string, string>
  beforeEach(() => {
    const { serviceArn } = putService(context, cluster, 'api')
    putService(context, cluster, 'idle')
    const daemonArn = putDaemon('logs')
    const daemon = { daemonArn, daemonRevisionArn: daemonArn }
    putDaemon('quiet')
    const service = { serviceArn, deploymentId: 'ecs-svc/1' }
    arns = {
      mine: put({ instance: 'one', startedBy: 'me' }),
      other: put({ family: 'web-2', instance: 'two' }),
      external: put({ launchType: 'EXTERNAL', instance: 'two' }),
      served: put({ instance: 'one', group: 'service:api', service }),
      daemon: put({ instance: 'one', group: 'daemon:logs', daemon }),
      stopping: put({ instance: 'one', startedBy: 'me', state: 'asked to stop' }),
      ended: put({ instance: 'one', startedBy: 'me', state: 'stopped' }),
      servedBefore: put({ instance: 'two', group: 'service:api', service, state: 'stopped' }),
    }
  })

  test.each<[ListTasksRequest, string[]]>([
    [{}, ['mine', 'other', 'external', 'served', 'daemon']],
    [{ desiredStatus: 'RUNNING' }, ['mine', 'other', 'external', 'served', 'daemon']],
    [{ desiredStatus: 'PENDING' }, []],
    [{ desiredStatus: 'STOPPED' }, ['stopping', 'ended', 'servedBefore']],
    [{ family: 'web' }, ['mine', 'external', 'served', 'daemon']],
    [{ family: 'web-2' }, ['other']],
    [{ family: 'we' }, []],
    [{ startedBy: 'me' }, ['mine']],
    [{ startedBy: 'me', desiredStatus: 'STOPPED' }, ['stopping', 'ended']],
    [{ serviceName: 'api' }, ['served']],
    [{ serviceName: 'arn:aws:ecs:us-east-1:000000000000:service/c/api' }, ['served']],
    [{ serviceName: 'api', desiredStatus: 'STOPPED' }, ['servedBefore']],
    [{ serviceName: 'idle' }, []],
    [{ serviceName: 'api', family: 'web-2' }, []],
    [{ serviceName: 'api', containerInstance: idOf('one') }, ['served']],
    [{ serviceName: 'api', containerInstance: idOf('two') }, []],
    [{ daemonName: 'logs' }, ['daemon']],
    [{ daemonName: 'quiet' }, []],
    [{ containerInstance: idOf('one') }, ['mine', 'served', 'daemon']],
    [{ containerInstance: idOf('one'), desiredStatus: 'STOPPED' }, ['stopping', 'ended']],
    [{ containerInstance: idOf('two'), family: 'web', launchType: 'EXTERNAL' }, ['external']],
    [{ launchType: 'EXTERNAL' }, ['external']],
    [{ launchType: 'FARGATE' }, []],
  ])('lists by %j', (input, names) => {
    expect(list(input)).toEqual(names.map((name) => arns[name] ?? name).toSorted())
  })
})

test('lists page by page, by the same filters only', () => {
  const arns = [put(), put(), put(), put({ family: 'other' })].slice(0, 3).toSorted()
  const asked = { cluster: 'c', family: 'web', maxResults: 2 }
  const first = listTasks.run(context, asked)
  expect(first.taskArns).toEqual(arns.slice(0, 2))
  const { nextToken = '' } = first
  expect(listTasks.run(context, { ...asked, nextToken })).toEqual({ taskArns: arns.slice(2) })
  expect(refusalOf(() => list({ maxResults: 2, nextToken }))).toMatch(/^InvalidParameterException/)
})

test('a page has 100 tasks unless fewer are asked for', () => {
  for (let count = 0; count < 101; count++) put()
  const { taskArns, nextToken } = listTasks.run(context, { cluster: 'c' })
  expect(taskArns).toHaveLength(100)
  expect(nextToken).toBeDefined()
})

test('a task that is stopped leaves the list of those to run at once', () => {
  const arn = put({ instance: 'one' })
  expect(list({ containerInstance: idOf('one') })).toEqual([arn])
  context.store.update((tx) => {
    const task = tx.find('task', arn)
    if (task) tx.put('task', requestStop(task, { stopCode: 'UserInitiated', stoppedReason: 'x', now: 1 }))
  })
  expect(list({ containerInstance: idOf('one') })).toEqual([])
  expect(list({ containerInstance: idOf('one'), desiredStatus: 'STOPPED' })).toEqual([arn])
})

const invalid = 'InvalidParameterException: '
test.each<[ListTasksRequest, string]>([
  [{ startedBy: 'me', family: 'web' }, `${invalid}cannot specify startedBy with other arguments`],
  [{ startedBy: 'me', serviceName: 'api' }, `${invalid}cannot specify startedBy with other arguments`],
  [{ startedBy: 'me', daemonName: 'logs' }, `${invalid}cannot specify startedBy with other arguments`],
  [{ startedBy: 'me', launchType: 'EC2' }, `${invalid}cannot specify startedBy with other arguments`],
  [
    { startedBy: 'me', containerInstance: idOf('one') },
    `${invalid}cannot specify startedBy with other arguments`,
  ],
  [{ startedBy: 'x'.repeat(129) }, `${invalid}startedBy longer than 128.`],
  [{ serviceName: 'nobody' }, 'ServiceNotFoundException: Service not found.'],
  [{ daemonName: 'nobody' }, 'ClientException: The specified daemon was not found.'],
  [{ containerInstance: idOf('nobody') }, 'ClientException: Referenced container instance'],
  [{ containerInstance: 'one' }, `${invalid}instanceId length should be one of [32,36]`],
  [
    { containerInstance: `arn:aws:ecs:us-east-1:000000000000:container-instance/other/${idOf('one')}` },
    `${invalid}Identifier is for other. Your cluster is c`,
  ],
  [{ cluster: 'nobody' }, 'ClusterNotFoundException: Cluster not found.'],
  [
    { desiredStatus: 'FLYING' as 'STOPPED' },
    `${invalid}desiredStatus should be one of [RUNNING,PENDING,STOPPED]`,
  ],
  [{ launchType: 'LAMBDA' as 'EC2' }, `${invalid}launch type should be one of [EC2,FARGATE,EXTERNAL]`],
  [{ maxResults: 0 }, `${invalid}maxResults must be between 1 and 100.`],
  [{ maxResults: 101 }, `${invalid}maxResults must be between 1 and 100.`],
  [{ nextToken: 'mine' }, `${invalid}Invalid token`],
])('refuses to list by %j', (input, message) => {
  expect(refusalOf(() => list(input)).slice(0, message.length)).toBe(message)
})
