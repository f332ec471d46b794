import type { ListTasksRequest, SubmitTaskStateChangeRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { newTask, placedOn } from '#domain/task.ts'
import { runTask } from './run-task.ts'
import { submitAttachmentStateChanges, submitContainerStateChange, submitTaskStateChange } from './submit.ts'
import { describeTasks, listTasks, stopTask } from './task.ts'
import { putCluster, putContainerInstance, putTaskDefinition, refusalOf } from './testing-rows.ts'

let context: TestContext
let cluster: Cluster

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putTaskDefinition(context, 'web:1')
  putContainerInstance(context, cluster, 'one', { memoryMiB: 100_000 })
})

function run(startedBy?: string, taskDefinition = 'web'): string {
  const { tasks: [task] = [] } = runTask.run(context, {
    cluster: 'c',
    taskDefinition,
    ...(startedBy !== undefined && { startedBy }),
  })
  return task?.taskArn ?? ''
}
const submit = (task: string, input: Partial<SubmitTaskStateChangeRequest>) =>
  submitTaskStateChange.run(context, { cluster: 'c', task, ...input })
const list = (input: ListTasksRequest = {}) => listTasks.run(context, { cluster: 'c', ...input }).taskArns
const show = (task: string) => describeTasks.run(context, { cluster: 'c', tasks: [task] }).tasks?.[0]

test('a task is stopped for the reason given, its tags are gone, and a second stop changes nothing', () => {
  const arn = run()
  context.store.update((tx) => tx.put('resourceTags', { resourceArn: arn, tags: [{ key: 'a', value: 'b' }] }))
  const { task } = stopTask.run(context, { cluster: 'c', task: arn.slice(-32), reason: 'abc' })
  expect(task).toMatchObject({
    desiredStatus: 'STOPPED',
    lastStatus: 'PENDING',
    stopCode: 'UserInitiated',
    stoppedReason: 'abc',
    stoppingAt: new Date(context.clock.now()),
    tags: [],
    version: 2,
  })
  submit(arn, { status: 'STOPPED' })
  expect(stopTask.run(context, { cluster: 'c', task: arn, reason: 'again' }).task).toMatchObject({
    lastStatus: 'STOPPED',
    stoppedReason: 'abc',
    version: 3,
  })
})

test('a stop without a reason is the user’s, and of an unknown task an error', () => {
  expect(stopTask.run(context, { cluster: 'c', task: run() }).task?.stoppedReason).toBe(
    'Task stopped by user',
  )
  expect(refusalOf(() => stopTask.run(context, { cluster: 'c', task: 'nobody' }))).toBe(
    'InvalidParameterException: The referenced task was not found.',
  )
})

test('shows the tasks in the order asked for, and which are missing', () => {
  const [one, two] = [run(), run()]
  const { tasks = [], failures } = describeTasks.run(context, {
    cluster: 'c',
    tasks: [two, 'nobody', one.slice(-32)],
  })
  expect(tasks.map(({ taskArn }) => taskArn)).toEqual([two, one])
  expect(failures).toEqual([{ arn: 'arn:aws:ecs:us-east-1:000000000000:task/c/nobody', reason: 'MISSING' }])
  expect(refusalOf(() => describeTasks.run(context, { cluster: 'c', tasks: [] }))).toBe(
    'InvalidParameterException: Tasks cannot be empty.',
  )
  const many = Array.from({ length: 101 }, (_, index) => `${index}`)
  expect(refusalOf(() => describeTasks.run(context, { cluster: 'c', tasks: many }))).toMatch(
    /^InvalidParameter/,
  )
})

test('lists tasks by every filter, those that are to run unless asked otherwise', () => {
  putTaskDefinition(context, 'web-2:1')
  const mine = run('me')
  const other = run(undefined, 'web-2')
  const stopped = run('me')
  stopTask.run(context, { cluster: 'c', task: stopped })
  const served = putServiceTask()
  const all = [mine, other, served].toSorted()
  expect(list()).toEqual(all)
  expect(list({ desiredStatus: 'STOPPED' })).toEqual([stopped])
  expect(list({ desiredStatus: 'PENDING' })).toEqual([])
  expect(list({ family: 'web' })).toEqual([mine, served].toSorted())
  expect(list({ family: 'web-2' })).toEqual([other])
  expect(list({ startedBy: 'me' })).toEqual([mine])
  expect(list({ startedBy: 'me', desiredStatus: 'STOPPED' })).toEqual([stopped])
  expect(list({ serviceName: 'api' })).toEqual([served])
  expect(list({ serviceName: 'api', family: 'web-2' })).toEqual([])
  expect(list({ containerInstance: 'one' })).toEqual(all)
  expect(list({ containerInstance: 'one', desiredStatus: 'STOPPED' })).toEqual([stopped])
  expect(list({ launchType: 'EXTERNAL' })).toEqual([])
  submit(stopped, { status: 'STOPPED' })
  expect(list({ containerInstance: 'one', desiredStatus: 'STOPPED' })).toEqual([stopped])
})

function putServiceTask(): string {
  const serviceArn = 'arn:aws:ecs:us-east-1:000000000000:service/c/api'
  const { store, scope, ids } = context
  const [taskDefinition] = store.list('taskDefinition')
  const [instance] = store.list('containerInstance')
  if (!taskDefinition || !instance) throw new Error('there is neither')
  const task = newTask({
    scope,
    cluster,
    taskDefinition,
    ids,
    now: 0,
    placement: placedOn(instance),
    group: 'service:api',
    service: { serviceArn, deploymentId: 'ecs-svc/1' },
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  store.update((tx) => {
    tx.put('task', task)
    tx.put('service', {
      ...scope,
      serviceArn,
      serviceName: 'api',
      clusterArn: cluster.clusterArn,
      status: 'ACTIVE',
      schedulingStrategy: 'REPLICA',
      desiredCount: 1,
      taskDefinitionArn: taskDefinition.taskDefinitionArn,
      deploymentConfiguration: {},
      placementConstraints: [],
      placementStrategy: [],
      availabilityZoneRebalancing: 'DISABLED',
      loadBalancers: [],
      serviceRegistries: [],
      propagateTags: 'NONE',
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      createdAt: 0,
      createdBy: 'root',
    })
  })
  return task.taskArn
}

test('lists tasks page by page', () => {
  const arns = [run(), run(), run()].toSorted()
  const first = listTasks.run(context, { cluster: 'c', maxResults: 2 })
  expect(first.taskArns).toEqual(arns.slice(0, 2))
  const { nextToken = '' } = first
  expect(listTasks.run(context, { cluster: 'c', maxResults: 2, nextToken })).toEqual({
    taskArns: arns.slice(2),
  })
})

test.each<[ListTasksRequest, string]>([
  [{ startedBy: 'me', family: 'web' }, 'InvalidParameterException'],
  [{ serviceName: 'nobody' }, 'ServiceNotFoundException: Service not found.'],
  [{ containerInstance: 'nobody' }, 'ClientException'],
  [{ cluster: 'nobody' }, 'ClusterNotFoundException: Cluster not found.'],
  [{ desiredStatus: 'FLYING' as 'STOPPED' }, 'InvalidParameterException: desiredStatus should be one of'],
  [{ maxResults: 101 }, 'InvalidParameterException'],
])('refuses to list by %j', (input, message) => {
  expect(refusalOf(() => list(input)).slice(0, message.length)).toBe(message)
})

test('a task goes as its agent reports, and says why it ended', () => {
  const arn = run()
  submit(arn, {
    status: 'RUNNING',
    reason: '',
    pullStartedAt: new Date(5000),
    containers: [
      {
        containerName: 'app',
        status: 'RUNNING',
        runtimeId: 'r',
        networkBindings: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32768, protocol: 'tcp' }],
      },
    ],
  })
  expect(show(arn)).toMatchObject({
    lastStatus: 'RUNNING',
    startedAt: new Date(context.clock.now()),
    pullStartedAt: new Date(5000),
    containers: [{ lastStatus: 'RUNNING', runtimeId: 'r', networkBindings: [{ hostPort: 32768 }] }],
    version: 2,
  })
  const ended = {
    status: 'STOPPED',
    executionStoppedAt: new Date(6000),
    containers: [{ containerName: 'app', status: 'STOPPED', exitCode: 0 }],
  }
  submit(arn, ended)
  const shown = show(arn)
  expect(shown).toMatchObject({
    desiredStatus: 'STOPPED',
    lastStatus: 'STOPPED',
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    executionStoppedAt: new Date(6000),
    containers: [{ lastStatus: 'STOPPED', exitCode: 0 }],
    version: 3,
  })
  expect(submit(arn, ended)).toEqual({ acknowledgment: 'ok' })
  expect(show(arn)).toEqual(shown)
})

test('in host mode the ports that Docker does not report are those of the definition', () => {
  putTaskDefinition(context, 'host:1', { portMappings: [{ containerPort: 80 }] }, { networkMode: 'host' })
  const arn = run(undefined, 'host')
  submitContainerStateChange.run(context, { task: arn, containerName: 'app', status: 'RUNNING' })
  expect(show(arn)?.containers?.[0]?.networkBindings).toMatchObject([{ containerPort: 80, hostPort: 80 }])
})

test('what can never be taken is answered so that an agent drops it', () => {
  const unknown = 'InvalidParameterException: The referenced task was not found.'
  expect(refusalOf(() => submit('arn:aws:ecs:us-east-1:000000000000:task/c/x', { status: 'RUNNING' }))).toBe(
    unknown,
  )
  expect(refusalOf(() => submitTaskStateChange.run(context, { cluster: 'gone', task: 'x' }))).toBe(unknown)
  expect(refusalOf(() => submit(run(), { status: 'FLYING' }))).toMatch(/^InvalidParameterException/)
  const attachments = [{ attachmentArn: 'x', status: 'ATTACHED' }]
  expect(refusalOf(() => submitAttachmentStateChanges.run(context, { attachments }))).toMatch(
    /^InvalidParameter/,
  )
})

test('an agent still reports on tasks of a cluster that is INACTIVE by now', () => {
  const arn = run()
  putCluster(context, 'c', { status: 'INACTIVE' })
  submit(arn, { status: 'STOPPED' })
  expect(context.store.find('task', arn)?.lastStatus).toBe('STOPPED')
})
