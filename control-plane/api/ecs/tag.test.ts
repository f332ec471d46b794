import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { formatArn } from '#domain/arn.ts'
import { newTask } from '#domain/task.ts'
import { createCluster, deleteCluster } from '#api/ecs/capacity/cluster.ts'
import { listTagsForResource, tagResource, untagResource } from './tag.ts'
import { describeTaskDefinition, registerTaskDefinition } from '#api/ecs/task-definitions/task-definition.ts'
import { putCluster, putContainerInstance, putService, putTaskDefinition, refusalOf } from './testing-rows.ts'

const of = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
const cluster = of('cluster/default')
const id = 'a'.repeat(32)
const tag = (key: string, value = 'x') => ({ key, value })

async function withRows() {
  const context = await testContext()
  const row = putCluster(context, 'default')
  putContainerInstance(context, row, id)
  putService(context, row, 'web')
  const task = newTask({
    scope: context.scope,
    cluster: row,
    taskDefinition: putTaskDefinition(context, 'web:1'),
    ids: { ...context.ids, hex: (length) => 'a'.repeat(length) },
    now: context.clock.now(),
    placement: { containerInstanceArn: of(`container-instance/default/${id}`) },
    group: 'family:web',
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  context.store.update((tx) => tx.put('task', task))
  return context
}

describe('tags', () => {
  test('are merged by key, listed in the order in which they were given last, and taken away', async () => {
    const context = await testContext()
    createCluster.run(context, { tags: [tag('a'), tag('b')] })
    tagResource.run(context, { resourceArn: cluster, tags: [tag('a', 'y'), tag('c')] })
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([
      tag('b'),
      tag('a', 'y'),
      tag('c'),
    ])
    untagResource.run(context, { resourceArn: cluster, tagKeys: ['a', 'b', 'c', 'never'] })
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([])
  })

  test('of a task definition come beside it when they are included', async () => {
    const context = await testContext()
    const { tags, taskDefinition } = registerTaskDefinition.run(context, {
      family: 'f',
      containerDefinitions: [{ name: 'a', image: 'b', memory: 8 }],
      tags: [tag('a')],
    })
    expect(tags).toEqual([tag('a')])
    expect(taskDefinition).not.toHaveProperty('tags')
    expect(listTagsForResource.run(context, { resourceArn: of('task-definition/f:1') }).tags).toEqual([
      tag('a'),
    ])
    expect(describeTaskDefinition.run(context, { taskDefinition: 'f' })).not.toHaveProperty('tags')
    const described = describeTaskDefinition.run(context, { taskDefinition: 'f', include: ['TAGS'] })
    expect(described.tags).toEqual([tag('a')])
  })

  test('go with what they are of', async () => {
    const context = await testContext()
    createCluster.run(context, { tags: [tag('a')] })
    deleteCluster.run(context, { cluster })
    createCluster.run(context, {})
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([])
  })

  test.each([
    'cluster/default',
    `container-instance/default/${id}`,
    'service/default/web',
    `task/default/${id}`,
    'task-definition/web:1',
  ])('can be put on %s', async (resource) => {
    const context = await withRows()
    tagResource.run(context, { resourceArn: of(resource), tags: [tag('a')] })
    expect(listTagsForResource.run(context, { resourceArn: of(resource) }).tags).toEqual([tag('a')])
  })

  const invalid = 'InvalidParameterException: The ARN provided is invalid.'
  test.each([
    [of('cluster/nope'), 'ClusterNotFoundException: Cluster not found.'],
    [of('service/default/nope'), 'ServiceNotFoundException: Service not found.'],
    [of('constructor/a'), 'InvalidParameterException: Unsupported resource type: constructor'],
    [of('task-definition/nope:1'), 'ClientException: Unable to describe task definition.'],
    [of('task/default/nope'), 'InvalidParameterException: The specified task was not found.'],
    [
      of('container-instance/default/nope'),
      'InvalidParameterException: The specified container instance was not found.',
    ],
    [of('garden/nope'), 'InvalidParameterException: Unsupported resource type: garden'],
    [of('constructor/nope'), 'InvalidParameterException: Unsupported resource type: constructor'],
    [of('task-definition/web'), invalid],
    [of('cluster'), invalid],
    ['default', invalid],
    ['arn:aws:ec2:us-east-1:000000000000:instance/i-1', invalid],
    [cluster.replace('us-east-1', 'eu-west-1'), 'ClusterNotFoundException: Cluster not found.'],
    [cluster.replace('000000000000', '111111111111'), 'ClusterNotFoundException: Cluster not found.'],
  ])('are neither put on, taken from nor listed of %s: %s', async (resourceArn, refusal) => {
    const context = await withRows()
    expect([
      refusalOf(() => tagResource.run(context, { resourceArn, tags: [tag('a')] })),
      refusalOf(() => untagResource.run(context, { resourceArn, tagKeys: ['a'] })),
      refusalOf(() => listTagsForResource.run(context, { resourceArn })),
    ]).toEqual([refusal, refusal, refusal])
  })

  test.each([
    ['service/web', 'ServiceNotFoundException: Service not found.'],
    [`task/${id}`, 'InvalidParameterException: The specified task was not found.'],
    [
      `container-instance/${id}`,
      'InvalidParameterException: The specified container instance was not found.',
    ],
  ])('need the long format of %s to be changed', async (resource, unknown) => {
    const context = await withRows()
    const resourceArn = of(resource)
    const longOnly = 'InvalidParameterException: Long arn format must be used for tagging operations'
    expect(refusalOf(() => tagResource.run(context, { resourceArn, tags: [tag('a')] }))).toBe(longOnly)
    expect(refusalOf(() => untagResource.run(context, { resourceArn, tagKeys: ['a'] }))).toBe(longOnly)
    expect(refusalOf(() => listTagsForResource.run(context, { resourceArn }))).toBe(unknown)
  })

  test.each([
    ['Tag key must not start with aws:', [tag('aws:x')]],
    ['Tag key must not start with aws:', [tag('AWS:x')]],
    ['Tag value must not start with aws:', [tag('k', 'aws:x')]],
    ['Tag keys must have between 1 and 128 characters.', [tag('')]],
    ['Tag keys must have between 1 and 128 characters.', [tag('k'.repeat(129))]],
    ['Tag values must have at most 256 characters.', [tag('k', 'v'.repeat(257))]],
    [
      'Tag keys and values can hold letters, numbers, spaces and the characters _ . : / = + - @ only.',
      [tag('k', 'a;b')],
    ],
    ["Duplicate tag key 'a'. Specify each key once and try again.", [tag('a'), tag('a')]],
    ['A resource can have at most 50 tags.', Array.from({ length: 51 }, (_, index) => tag(`k${index}`))],
  ])('are refused, all of them: %s', async (message, tags) => {
    const context = await testContext()
    createCluster.run(context, {})
    expect(refusalOf(() => tagResource.run(context, { resourceArn: cluster, tags }))).toBe(
      `InvalidParameterException: ${message}`,
    )
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([])
  })

  test('are fifty at most with those that are there, not counting those of AWS', async () => {
    const context = await testContext()
    const own = Array.from({ length: 49 }, (_, index) => tag(`k${index}`, 'v'.repeat(256)))
    createCluster.run(context, { tags: own })
    context.store.update((tx) => {
      const tags = [...own, tag('aws:ecs:clusterName')]
      tx.put('resourceTags', { resourceArn: formatArn(context.scope, 'ecs', 'cluster/default'), tags })
    })
    const put = (...keys: string[]) =>
      refusalOf(() => tagResource.run(context, { resourceArn: cluster, tags: keys.map((key) => tag(key)) }))
    expect(put('k0', 'fiftieth')).toBe('nothing')
    expect(put('k1', 'one more')).toBe('InvalidParameterException: A resource can have at most 50 tags.')
    expect(
      refusalOf(() => untagResource.run(context, { resourceArn: cluster, tagKeys: ['aws:ecs:clusterName'] })),
    ).toBe('InvalidParameterException: Tag key must not start with aws:')
  })
})
