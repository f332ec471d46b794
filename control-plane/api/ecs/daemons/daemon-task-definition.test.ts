import type { RegisterDaemonTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import {
  deleteDaemonTaskDefinition,
  describeDaemonTaskDefinition,
  listDaemonTaskDefinitions,
  registerDaemonTaskDefinition,
} from './daemon-task-definition.ts'
import { listTagsForResource, tagResource } from '#api/ecs/tag.ts'
import {
  listTaskDefinitionFamilies,
  listTaskDefinitions,
} from '#api/ecs/task-definitions/task-definition-list.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

const arnOf = (name: string): string => `arn:aws:ecs:us-east-1:000000000000:daemon-task-definition/${name}`
const app = { name: 'agent', image: 'agent:1', memory: 64 }

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})

function register(family: string, more: Partial<RegisterDaemonTaskDefinitionRequest> = {}): string {
  const { daemonTaskDefinitionArn = '' } = registerDaemonTaskDefinition.run(context, {
    family,
    containerDefinitions: [app],
    ...more,
  })
  return daemonTaskDefinitionArn
}

const describeOne = (daemonTaskDefinition: string) =>
  describeDaemonTaskDefinition.run(context, { daemonTaskDefinition }).daemonTaskDefinition

test('a revision is shown as it was registered, with the defaults filled in', () => {
  expect(
    register('agent', { cpu: '128', memory: '256', pidMode: 'shared', volumes: [{ name: 'v', host: {} }] }),
  ).toBe(arnOf('agent:1'))
  expect(describeOne('agent:1')).toEqual({
    daemonTaskDefinitionArn: arnOf('agent:1'),
    family: 'agent',
    revision: 1,
    status: 'ACTIVE',
    containerDefinitions: [
      { ...app, cpu: 0, essential: true, environment: [], mountPoints: [], secrets: [] },
    ],
    volumes: [{ name: 'v', host: {} }],
    cpu: '128',
    memory: '256',
    pidMode: 'shared',
    registeredAt: new Date(context.clock.now()),
    registeredBy: 'arn:aws:iam::000000000000:root',
  })
})

test('a family alone means its latest ACTIVE revision, and numbers are never used twice', () => {
  register('agent')
  register('agent')
  deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent:2' })
  expect(describeOne('agent')?.revision).toBe(1)
  expect(describeOne(arnOf('agent:2'))).toMatchObject({
    status: 'DELETE_IN_PROGRESS',
    deleteRequestedAt: new Date(context.clock.now()),
  })
  expect(register('agent')).toBe(arnOf('agent:3'))
})

test('daemon task definitions are in no list of task definitions, and the other way round', () => {
  register('agent')
  expect(listTaskDefinitions.run(context, {}).taskDefinitionArns).toEqual([])
  expect(listTaskDefinitionFamilies.run(context, {}).families).toEqual([])
  expect(context.store.find('taskDefinition', arnOf('agent:1'))).toMatchObject({
    networkMode: 'bridge',
    daemon: true,
  })
})

test.each<[string, Partial<RegisterDaemonTaskDefinitionRequest>, string]>([
  ['a bad family', { family: 'a b' }, 'ClientException: Family contains invalid characters.'],
  ['no containers', { containerDefinitions: [] }, 'ClientException: Container list cannot be empty.'],
  [
    'no memory',
    { containerDefinitions: [{ name: 'agent', image: 'agent' }] },
    "ClientException: Invalid setting for container 'agent'. At least one of 'memory' or 'memoryReservation' must be specified.",
  ],
  [
    'no memory but that of the task',
    { memory: '256', containerDefinitions: [app, { name: 'other', image: 'other' }] },
    "ClientException: Invalid setting for container 'other'. At least one of 'memory' or 'memoryReservation' must be specified.",
  ],
  [
    'a volume nobody declared',
    { containerDefinitions: [{ ...app, mountPoints: [{ sourceVolume: 'v', containerPath: '/v' }] }] },
    "ClientException: Unknown volume 'v'.",
  ],
  [
    'a pid mode of tasks',
    { pidMode: 'host' as 'shared' },
    'InvalidParameterException: pidMode should be one of [none,shared]',
  ],
  [
    'an ipc mode of tasks',
    { ipcMode: 'task' as 'shared' },
    'InvalidParameterException: ipcMode should be one of [none,shared]',
  ],
  [
    'another log driver',
    { volumes: [{ name: 'v', logDriverVolumeConfiguration: { driver: 'syslog' } }] },
    "ClientException: Volume 'v': the only supported log driver is json-file.",
  ],
  [
    'a volume of two kinds',
    { volumes: [{ name: 'v', host: {}, logDriverVolumeConfiguration: { driver: 'json-file' } }] },
    "ClientException: Volume 'v' must have exactly one kind of configuration.",
  ],
  [
    'a volume of log files',
    { volumes: [{ name: 'v', logDriverVolumeConfiguration: { driver: 'json-file' } }] },
    'UnsupportedFeatureException: Berth does not support log driver volumes yet. Use a volume with a host path.',
  ],
  ['no tags', { tags: [] }, 'ClientException: Tags can not be empty.'],
])('%s is refused and registers nothing', (_, more, refusal) => {
  expect(refusalOf(() => register('agent', more))).toBe(refusal)
  expect(context.store.size('daemonTaskDefinition') + context.store.size('taskDefinition')).toBe(0)
})

test.each<[string, () => unknown, string]>([
  [
    'describes what is not there',
    () => describeOne('none'),
    'ClientException: Daemon task definition not found.',
  ],
  [
    'describes the ARN of another thing',
    () => describeOne('arn:aws:ecs:us-east-1:000000000000:task-definition/agent:1'),
    'InvalidParameterException: Unsupported resource type: task-definition',
  ],
  [
    'describes a revision that is no number',
    () => describeOne('agent:x'),
    'InvalidParameterException: Invalid revision number. Number: x',
  ],
  [
    'describes one of another account',
    () => describeOne('arn:aws:ecs:us-east-1:111111111111:daemon-task-definition/agent:1'),
    'ClientException: Daemon task definition not found.',
  ],
  [
    'deletes without a revision',
    () => deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent' }),
    'ClientException: Revision is missing.',
  ],
  [
    'deletes what is not there',
    () => deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent:9' }),
    'ClientException: Daemon task definition not found.',
  ],
  [
    'deletes twice',
    () => {
      deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent:1' })
      deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent:1' })
    },
    'ClientException: The specified daemon task definition is already being deleted.',
  ],
  [
    'lists another status',
    () => listDaemonTaskDefinitions.run(context, { status: 'DELETED' as 'ALL' }),
    'InvalidParameterException: status should be one of [ACTIVE,DELETE_IN_PROGRESS,ALL]',
  ],
])('who %s is refused', (_, act, refusal) => {
  register('agent')
  expect(refusalOf(act)).toBe(refusal)
})

test.each<[string, Parameters<typeof listDaemonTaskDefinitions.run>[1], string[]]>([
  ['by family and number', {}, ['agent:1', 'agent:2', 'agent:10', 'agents:1', 'logs:1']],
  ['the other way round', { sort: 'DESC' }, ['logs:1', 'agents:1', 'agent:10', 'agent:2', 'agent:1']],
  ['of a prefix', { familyPrefix: 'agent', sort: 'DESC' }, ['agents:1', 'agent:10', 'agent:2', 'agent:1']],
  ['of a family', { family: 'agent' }, ['agent:1', 'agent:2', 'agent:10']],
  ['the last of each', { revision: 'LAST_REGISTERED' }, ['agent:10', 'agents:1', 'logs:1']],
  ['those being deleted', { status: 'DELETE_IN_PROGRESS' }, ['agent:3']],
  ['of any status', { family: 'agent', status: 'ALL' }, ['agent:1', 'agent:2', 'agent:3', 'agent:10']],
])('lists %s', (_, filters, names) => {
  for (let revision = 1; revision <= 10; revision++) register('agent')
  for (const family of ['agents', 'logs']) register(family)
  for (const revision of [4, 5, 6, 7, 8, 9])
    context.store.update((tx) => tx.delete('daemonTaskDefinition', arnOf(`agent:${revision}`)))
  deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'agent:3' })
  const { daemonTaskDefinitions = [] } = listDaemonTaskDefinitions.run(context, filters)
  expect(daemonTaskDefinitions.map(({ arn }) => arn)).toEqual(names.map(arnOf))
})

test('a list comes in pages', () => {
  for (const family of ['a', 'b', 'c']) register(family)
  const first = listDaemonTaskDefinitions.run(context, { maxResults: 2 })
  const second = listDaemonTaskDefinitions.run(context, {
    maxResults: 2,
    ...(first.nextToken !== undefined && { nextToken: first.nextToken }),
  })
  expect([first.daemonTaskDefinitions?.length, second.daemonTaskDefinitions?.length]).toEqual([2, 1])
  expect(second.nextToken).toBeUndefined()
  expect(second.daemonTaskDefinitions).toEqual([
    {
      arn: arnOf('c:1'),
      registeredAt: new Date(context.clock.now()),
      registeredBy: 'arn:aws:iam::000000000000:root',
      status: 'ACTIVE',
    },
  ])
})

test('it has tags', () => {
  const resourceArn = register('agent', { tags: [{ key: 'team', value: 'web' }] })
  tagResource.run(context, { resourceArn, tags: [{ key: 'tier', value: '1' }] })
  expect(listTagsForResource.run(context, { resourceArn }).tags).toEqual([
    { key: 'team', value: 'web' },
    { key: 'tier', value: '1' },
  ])
  expect(refusalOf(() => listTagsForResource.run(context, { resourceArn: arnOf('agent:9') }))).toBe(
    'ClientException: Daemon task definition not found.',
  )
})
