import type { SubmitTaskStateChangeRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { runTask } from './run-task.ts'
import {
  submitAttachmentStateChanges,
  submitContainerStateChange,
  submitTaskStateChange,
} from '#api/ecs/instances/submit.ts'
import { describeTasks, stopTask } from './task.ts'
import { putCluster, putContainerInstance, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

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
})

const nobody = 'f'.repeat(32)
const stop = (task: string, reason?: string, clusterName = 'c') =>
  stopTask.run(context, { cluster: clusterName, task, ...(reason !== undefined && { reason }) }).task
const describe = (tasks: string[], clusterName = 'c') =>
  describeTasks.run(context, { cluster: clusterName, tasks })
const elsewhere = `arn:aws:ecs:us-east-1:000000000000:task/other/${nobody}`

test.each<[string, () => unknown, string]>([
  [
    'stop of the unknown',
    () => stop(nobody),
    'InvalidParameterException: The referenced task was not found.',
  ],
  ['stop of no id', () => stop('None'), 'InvalidParameterException: taskId length should be one of [32,36]'],
  ['stop in no cluster', () => stop('None', 'x', 'nowhere'), 'ClusterNotFoundException: Cluster not found.'],
  [
    'stop for a long reason',
    () => stop(nobody, 'x'.repeat(256)),
    'InvalidParameterException: reason longer than 255.',
  ],
  [
    'stop in another cluster',
    () => stop(elsewhere),
    'InvalidParameterException: Identifier is for other. Your cluster is c',
  ],
  ['show nothing', () => describe([]), 'InvalidParameterException: Tasks cannot be empty.'],
  [
    'show nothing of no cluster',
    () => describe([], 'nowhere'),
    'ClusterNotFoundException: Cluster not found.',
  ],
  [
    'show 101',
    () => describe(Array.from({ length: 101 }, () => nobody)),
    'InvalidParameterException: taskIds can have at most 100 items.',
  ],
  ['show no id', () => describe(['x']), 'InvalidParameterException: taskId length should be one of [32,36]'],
  [
    'show of another cluster',
    () => describe([elsewhere]),
    'InvalidParameterException: Identifier is for other. Your cluster is c',
  ],
  [
    'show a cluster',
    () => describe([cluster.clusterArn]),
    'InvalidParameterException: Unsupported resource type: cluster',
  ],
  [
    'show more than there is',
    () => describeTasks.run(context, { cluster: 'c', tasks: [nobody], include: ['ALL' as 'TAGS'] }),
    'InvalidParameterException: include should be one of [TAGS]',
  ],
])('refuses to %s', (_, act, message) => {
  expect(refusalOf(act)).toBe(message)
})

test('shows the tasks in the order asked for, each once, and which are missing', () => {
  const [one, two] = [run(), run()]
  const { tasks = [], failures } = describe([two, nobody, one.slice(-32), one])
  expect(tasks.map(({ taskArn }) => taskArn)).toEqual([two, one])
  expect(failures).toEqual([
    { arn: `arn:aws:ecs:us-east-1:000000000000:task/c/${nobody}`, reason: 'MISSING' },
  ])
})

test('times are shown once they have come, and sizes are text', () => {
  const arn = run()
  const fresh = show(arn)
  expect(fresh).toMatchObject({ cpu: '0', memory: '100', containers: [{ cpu: '0', memory: '100' }] })
  for (const time of ['startedAt', 'stoppingAt', 'stoppedAt', 'pullStartedAt', 'executionStoppedAt'] as const)
    expect(fresh?.[time]).toBeUndefined()
  expect(fresh?.stopCode).toBeUndefined()
  stop(arn)
  expect(show(arn)).toMatchObject({ stoppingAt: new Date(context.clock.now()), stoppedAt: undefined })
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
