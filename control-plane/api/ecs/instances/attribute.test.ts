import type { Attribute } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { deleteAttributes, listAttributes, putAttributes } from './attribute.ts'
import { putCluster, putContainerInstance, refusalOf } from '#api/ecs/testing-rows.ts'

const id = 'a'.repeat(32)
const builtIn = { name: 'ecs.availability-zone', value: 'us-east-1a' }

async function withInstance(): Promise<{ readonly context: TestContext; readonly targetId: string }> {
  const context = await testContext()
  const { containerInstanceArn } = putContainerInstance(context, putCluster(context, 'default'), id)
  return { context, targetId: containerInstanceArn }
}

function attributesOf({ store }: TestContext, arn: string): readonly Attribute[] {
  return store.find('containerInstance', arn)?.attributes ?? []
}

describe('attributes', () => {
  test('are put, listed by name and value, and deleted', async () => {
    const { context, targetId } = await withInstance()
    const color = { name: 'color', value: 'blue', targetId }
    expect(putAttributes.run(context, { attributes: [color] }).attributes).toEqual([color])
    expect(context.store.find('containerInstance', targetId)?.version).toBe(2)
    const list = (attributeName: string, attributeValue?: string) =>
      listAttributes.run(context, {
        targetType: 'container-instance',
        attributeName,
        ...(attributeValue !== undefined && { attributeValue }),
      }).attributes
    expect(list('color', 'blue')).toEqual([color])
    expect(list('color', 'red')).toEqual([])
    const short = { name: 'color', targetId: id, targetType: 'container-instance' as const }
    expect(deleteAttributes.run(context, { attributes: [short] })).toEqual({ attributes: [color] })
    expect(list('color')).toEqual([])
  })

  test('take the place of those with their name, and may have no value', async () => {
    const { context, targetId } = await withInstance()
    for (const value of ['blue', 'red'])
      putAttributes.run(context, { attributes: [{ name: 'color', value, targetId }] })
    putAttributes.run(context, { attributes: [{ name: 'plain', targetId }] })
    expect(attributesOf(context, targetId)).toEqual([
      builtIn,
      { name: 'color', value: 'red' },
      { name: 'plain' },
    ])
  })

  test('are listed page by page over all instances that are not deregistered', async () => {
    const { context, targetId } = await withInstance()
    const cluster = putCluster(context, 'default')
    const other = putContainerInstance(context, cluster, 'b'.repeat(32)).containerInstanceArn
    putContainerInstance(context, cluster, 'c'.repeat(32), { status: 'INACTIVE' })
    for (const target of [targetId, other])
      putAttributes.run(context, {
        attributes: ['zone', 'color'].map((name) => ({ name, targetId: target })),
      })
    const seen: string[] = []
    let nextToken: string | undefined
    do {
      const page = listAttributes.run(context, {
        targetType: 'container-instance',
        maxResults: 2,
        ...(nextToken !== undefined && { nextToken }),
      })
      seen.push(...(page.attributes ?? []).map((each) => `${each.targetId?.at(-1)} ${each.name}`))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    expect(seen).toEqual([
      'a color',
      'a ecs.availability-zone',
      'a zone',
      'b color',
      'b ecs.availability-zone',
      'b zone',
    ])
  })

  test.each<[string, (targetId: string) => Attribute[]]>([
    ['InvalidParameterException: Attributes cannot be empty.', () => []],
    [
      'InvalidParameterException: Attributes cannot have more than 10 elements.',
      (targetId) => Array.from({ length: 11 }, (_, index) => ({ name: `a${index}`, targetId })),
    ],
    [
      'InvalidParameterException: targetType should be one of [container-instance]',
      (targetId) => [{ name: 'a', targetId, targetType: 'task' as 'container-instance' }],
    ],
    ['InvalidParameterException: targetId is required.', () => [{ name: 'a' }]],
    [
      'InvalidParameterException: targetType is required when targetId is not an ARN.',
      () => [{ name: 'a', targetId: id }],
    ],
    [
      "InvalidParameterException: Attribute 'ecs.os-type' is reserved and cannot be changed.",
      (targetId) => [{ name: 'ecs.os-type', value: 'windows', targetId }],
    ],
    [
      'InvalidParameterException: instanceId length should be one of [32,36]',
      () => [{ name: 'a', targetId: 'x', targetType: 'container-instance' }],
    ],
    [
      `TargetNotFoundException: The specified target ${'0'.repeat(32)} was not found.`,
      () => [{ name: 'a', targetId: '0'.repeat(32), targetType: 'container-instance' }],
    ],
  ])('are neither put nor deleted: %s', async (refusal, attributesFor) => {
    const { context, targetId } = await withInstance()
    const attributes = attributesFor(targetId)
    expect(refusalOf(() => putAttributes.run(context, { attributes }))).toBe(refusal)
    expect(refusalOf(() => deleteAttributes.run(context, { attributes }))).toBe(refusal)
    expect(attributesOf(context, targetId)).toEqual([builtIn])
  })

  test.each([
    ['a b', 'x'],
    ['', 'x'],
    ['n'.repeat(129), 'x'],
    ['name', ' x'],
    ['name', 'x '],
    ['name', 'v'.repeat(129)],
    ['name', 'tab\t'],
  ])('have names and values of their own characters: %j = %j is refused', async (name, value) => {
    const { context, targetId } = await withInstance()
    expect(refusalOf(() => putAttributes.run(context, { attributes: [{ name, value, targetId }] }))).toMatch(
      /^InvalidParameterException: Attribute (?:names|values) must have/,
    )
  })

  test('are ten at most beside those of ECS, all of a request or none', async () => {
    const { context, targetId } = await withInstance()
    const attributes = Array.from({ length: 10 }, (_, index) => ({ name: `a/b.c-d_${index}`, targetId }))
    putAttributes.run(context, { attributes })
    const more = [
      { name: 'a/b.c-d_0', value: 'changed: \\', targetId },
      { name: 'eleventh', targetId },
    ]
    expect(refusalOf(() => putAttributes.run(context, { attributes: more }))).toBe(
      'AttributeLimitExceededException: A resource can have at most 10 custom attributes.',
    )
    expect(attributesOf(context, targetId)).not.toContainEqual({ name: 'a/b.c-d_0', value: 'changed: \\' })
  })

  test('are listed of container instances only, and by a value only with a name', async () => {
    const { context } = await withInstance()
    expect(refusalOf(() => listAttributes.run(context, { targetType: undefined }))).toBe(
      'InvalidParameterException: targetType should be one of [container-instance]',
    )
    expect(
      refusalOf(() => listAttributes.run(context, { targetType: 'container-instance', attributeValue: 'x' })),
    ).toBe('InvalidParameterException: attributeName is required with attributeValue.')
  })
})
