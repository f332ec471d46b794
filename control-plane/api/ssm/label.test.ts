import { describe, expect, test } from 'vitest'
import { failure } from '#api/calls-testing.ts'
import { started } from './parameter-testing.ts'

describe('labels', () => {
  test('are on one version only, and those that cannot be labels are told', async () => {
    const { call, put } = await started('/a')
    put('/a', 'two', { Overwrite: true })
    const label = (ParameterVersion: number, ...Labels: string[]) =>
      call.LabelParameterVersion({ Name: '/a', ParameterVersion, Labels })
    label(1, 'one', 'both')
    expect(label(2, 'both', '1st', 'awsome')).toEqual({
      InvalidLabels: ['1st', 'awsome'],
      ParameterVersion: 2,
    })
    const labels = () => call.GetParameterHistory({ Name: '/a' }).Parameters?.map(({ Labels }) => Labels)
    expect(labels()).toEqual([['one'], ['both']])
    expect(
      call.UnlabelParameterVersion({ Name: '/a', ParameterVersion: 1, Labels: ['one', 'both'] }),
    ).toEqual({ RemovedLabels: ['one'], InvalidLabels: ['both'] })
    expect(labels()).toEqual([[], ['both']])
  })

  test('are ten at most on a version', async () => {
    const { call } = await started('/a')
    const Labels = Array.from({ length: 10 }, (_, index) => `label-${index}`)
    call.LabelParameterVersion({ Name: '/a', Labels })
    expect(failure(() => call.LabelParameterVersion({ Name: '/a', Labels: ['more'] }))).toMatchObject({
      name: 'ParameterVersionLabelLimitExceeded',
    })
  })
})

test('deleting takes versions and tags with it, and tells what was not there', async () => {
  const { context, call } = await started('/a', '/b')
  const tagged = { ResourceType: 'Parameter', ResourceId: '/a' } as const
  call.AddTagsToResource({ ...tagged, Tags: [{ Key: 'team', Value: 'a' }] })
  expect(call.ListTagsForResource(tagged).TagList).toEqual([{ Key: 'team', Value: 'a' }])
  expect(call.DeleteParameters({ Names: ['/a', '/none'] })).toEqual({
    DeletedParameters: ['/a'],
    InvalidParameters: ['/none'],
  })
  expect(failure(() => call.DeleteParameter({ Name: '/a' }))).toMatchObject({ name: 'ParameterNotFound' })
  expect(failure(() => call.ListTagsForResource(tagged))).toEqual(
    expect.objectContaining({ name: 'InvalidResourceId', message: 'Invalid Resource Id' }) as Error,
  )
  expect(context.store.list('resourceTags')).toEqual([])
  expect(context.store.list('parameterVersion')).toHaveLength(1)
})

test('tags are removed one by one', async () => {
  const { call } = await started('/a')
  const tagged = { ResourceType: 'Parameter', ResourceId: '/a' } as const
  const [one, two] = [
    { Key: 'one', Value: '1' },
    { Key: 'two', Value: '2' },
  ]
  call.AddTagsToResource({ ...tagged, Tags: [one, two] })
  call.RemoveTagsFromResource({ ...tagged, TagKeys: ['one', 'none'] })
  expect(call.ListTagsForResource(tagged).TagList).toEqual([two])
})
