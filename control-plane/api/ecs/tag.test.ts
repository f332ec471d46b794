import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { createCluster } from './cluster.ts'
import { listTagsForResource, tagResource, untagResource } from './tag.ts'
import { registerTaskDefinition } from './task-definition.ts'

const cluster = 'arn:aws:ecs:us-east-1:000000000000:cluster/default'
const of = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
const tag = (key: string, value = 'x') => ({ key, value })

describe('tags', () => {
  test('are merged by key, listed in order and taken away', async () => {
    const context = await testContext()
    createCluster.run(context, { tags: [tag('a'), tag('b')] })
    tagResource.run(context, { resourceArn: cluster, tags: [tag('a', 'y'), tag('c')] })
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([
      tag('a', 'y'),
      tag('b'),
      tag('c'),
    ])
    untagResource.run(context, { resourceArn: cluster, tagKeys: ['a', 'b', 'c', 'never'] })
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([])
  })

  test('of a task definition come beside it when they are included', async () => {
    const context = await testContext()
    const { tags } = registerTaskDefinition.run(context, {
      family: 'f',
      containerDefinitions: [{ name: 'a', image: 'b', memory: 8 }],
      tags: [tag('a')],
    })
    expect(tags).toEqual([tag('a')])
    expect(listTagsForResource.run(context, { resourceArn: of('task-definition/f:1') }).tags).toEqual([
      tag('a'),
    ])
  })

  test.each([
    ['cluster/nope', 'ClusterNotFoundException'],
    ['service/default/nope', 'ServiceNotFoundException'],
    ['task-definition/nope:1', 'ClientException'],
    ['task/default/nope', 'InvalidParameterException'],
    ['container-instance/default/nope', 'InvalidParameterException'],
    ['service/nope', 'InvalidParameterException'],
    ['garden/nope', 'InvalidParameterException'],
  ])('cannot be put on %s: %s', async (resource, code) => {
    const context = await testContext()
    expect(() => tagResource.run(context, { resourceArn: of(resource), tags: [tag('a')] })).toThrow(
      expect.objectContaining({ code }),
    )
  })

  test.each([
    [[tag('aws:x')]],
    [[tag('')]],
    [[tag('k'.repeat(129))]],
    [[tag('k', 'v'.repeat(257))]],
    [[tag('a'), tag('a')]],
    [Array.from({ length: 51 }, (_, index) => tag(`k${index}`))],
  ])('are refused when they break a limit (%#)', async (tags) => {
    const context = await testContext()
    createCluster.run(context, {})
    expect(() => tagResource.run(context, { resourceArn: cluster, tags })).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    )
    expect(listTagsForResource.run(context, { resourceArn: cluster }).tags).toEqual([])
  })
})
