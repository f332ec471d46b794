import type { StartTaskRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { startTask } from './start-task.ts'
import {
  putCluster,
  putContainerInstance,
  putSubnet,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
const idOf = (name: string): string => name.padStart(32, '0')
const put = (name: string, more: Parameters<typeof putContainerInstance>[3] = {}): string =>
  putContainerInstance(context, cluster, idOf(name), more).containerInstanceArn
const start = (input: Partial<StartTaskRequest> = {}) =>
  startTask.run(context, {
    cluster: 'c',
    taskDefinition: 'web',
    containerInstances: [idOf('one')],
    ...input,
  })

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putTaskDefinition(context, 'web:1')
  put('one')
})

test('starts a task on each instance named, and says in their order which it could not', () => {
  put('gone', { status: 'INACTIVE' })
  put('full', { memoryMiB: 10 })
  put('away', { agentConnected: false })
  const draining = put('draining', { status: 'DRAINING' })
  const { tasks, failures } = start({
    containerInstances: ['unknown', 'gone', 'one', 'full', 'draining', 'away'].map(idOf),
  })
  expect(tasks).toMatchObject([
    { containerInstanceArn: expect.stringMatching(/one$/), group: 'family:web', launchType: 'EC2' },
    { containerInstanceArn: draining },
  ])
  expect(failures).toEqual([
    { arn: expect.stringMatching(/unknown$/), reason: 'MISSING' },
    { arn: expect.stringMatching(/gone$/), reason: 'INACTIVE' },
    { arn: expect.stringMatching(/full$/), reason: 'RESOURCE:MEMORY' },
    { arn: expect.stringMatching(/away$/), reason: 'AGENT' },
  ])
})

test('an instance named twice, by id and by ARN, gets one task', () => {
  const arn = put('one')
  expect(start({ containerInstances: [idOf('one'), arn] }).tasks).toHaveLength(1)
})

test('an external instance takes what can run there, as EXTERNAL', () => {
  put('one', { external: true })
  expect(start().tasks).toMatchObject([{ launchType: 'EXTERNAL' }])
  putTaskDefinition(context, 'web:2', {}, { compatibilities: ['EC2'] })
  expect(start()).toEqual({
    tasks: [],
    failures: [{ arn: expect.stringMatching(/one$/), reason: 'ATTRIBUTE' }],
  })
})

test('awsvpc is accepted, and no instance can give the task an interface of its own', () => {
  putTaskDefinition(
    context,
    'vpc:1',
    {},
    { networkMode: 'awsvpc', requiresAttributes: ['ecs.capability.task-eni'] },
  )
  putSubnet(context, 'subnet-1')
  const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-1'] } }
  expect(start({ taskDefinition: 'vpc', networkConfiguration }).failures).toMatchObject([
    { reason: 'ATTRIBUTE' },
  ])
})

test('a task has the group and the starter it is given', () => {
  const group = 'batch'
  expect(start({ group, startedBy: 'me/1' }).tasks).toMatchObject([{ group, startedBy: 'me/1' }])
})

const invalid = 'InvalidParameterException: '
test.each<[string, Partial<StartTaskRequest>, string]>([
  ['no instances', { containerInstances: [] }, 'ClientException: Container Instances cannot be empty.'],
  [
    '11 instances',
    { containerInstances: Array.from({ length: 11 }, (_, index) => idOf(`${index}`)) },
    `${invalid}instanceIds can have at most 10 items.`,
  ],
  ['what is no id', { containerInstances: ['None'] }, `${invalid}instanceId length should be one of [32,36]`],
  [
    'an instance of another cluster',
    { containerInstances: [`arn:aws:ecs:us-east-1:000000000000:container-instance/other/${idOf('one')}`] },
    `${invalid}Identifier is for other. Your cluster is c`,
  ],
  ['startedBy of 37 characters', { startedBy: 'x'.repeat(37) }, `${invalid}startedBy longer than 36.`],
  [
    'an unknown cluster, before all else',
    { cluster: 'x', containerInstances: [] },
    'ClusterNotFoundException',
  ],
  ['an unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['tags of the service', { propagateTags: 'SERVICE' }, `${invalid}propagateTags should be one of`],
])('refuses %s', (_, input, message) => {
  expect(refusalOf(() => start(input)).slice(0, message.length)).toBe(message)
  expect(context.store.size('task')).toBe(0)
})
