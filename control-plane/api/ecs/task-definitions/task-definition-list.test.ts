import type { ListTaskDefinitionsRequest } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { listTaskDefinitionFamilies, listTaskDefinitions } from './task-definition-list.ts'
import { minimal } from './task-definition-testing.ts'
import { deleteTaskDefinitions, deregisterTaskDefinition, registerTaskDefinition } from './task-definition.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

/** `web`, `web-api` and `db` with eleven revisions each, of which `web:1` is INACTIVE. */
async function withFamilies(): Promise<TestContext> {
  const context = await testContext()
  for (const family of ['web-api', 'web', 'db'])
    for (let count = 0; count < 11; count++) registerTaskDefinition.run(context, { ...minimal, family })
  deregisterTaskDefinition.run(context, { taskDefinition: 'web:1' })
  return context
}

function list(context: TestContext, input: ListTaskDefinitionsRequest): readonly string[] {
  const { taskDefinitionArns = [] } = listTaskDefinitions.run(context, input)
  return taskDefinitionArns.map((arn) => arn.slice(arn.indexOf('/') + 1))
}

const numbered = (family: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${family}:${from + index}`)

test.each<[input: ListTaskDefinitionsRequest, listed: readonly string[]]>([
  [{}, [...numbered('db', 1, 11), ...numbered('web', 2, 11), ...numbered('web-api', 1, 11)]],
  [{ familyPrefix: 'web' }, numbered('web', 2, 11)],
  [{ familyPrefix: 'we' }, []],
  [{ familyPrefix: 'web', maxResults: 2 }, ['web:2', 'web:3']],
  [{ familyPrefix: 'web', maxResults: 2, sort: 'DESC' }, ['web:11', 'web:10']],
  [{ sort: 'DESC', maxResults: 12 }, [...numbered('web-api', 1, 11).toReversed(), 'web:11']],
  [{ status: 'INACTIVE' }, ['web:1']],
  [{ status: 'DELETE_IN_PROGRESS' }, []],
])('%j lists %j', async (input, listed) => {
  expect(list(await withFamilies(), input)).toEqual(listed)
})

test.each<ListTaskDefinitionsRequest>([
  {},
  { sort: 'DESC' },
  { familyPrefix: 'web' },
  { familyPrefix: 'web', sort: 'DESC' },
])('pages of %j show each revision once, whatever is registered meanwhile', async (input) => {
  const context = await withFamilies()
  const all = list(context, input)
  const seen: string[] = []
  let nextToken: string | undefined
  do {
    const page = listTaskDefinitions.run(context, {
      ...input,
      maxResults: 4,
      ...(nextToken && { nextToken }),
    })
    seen.push(...(page.taskDefinitionArns ?? []).map((arn) => arn.slice(arn.indexOf('/') + 1)))
    nextToken = page.nextToken
    registerTaskDefinition.run(context, { ...minimal, family: 'web' })
  } while (nextToken !== undefined)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.filter((revision) => all.includes(revision))).toEqual(all)
})

test('families are known by the beginning of their names, and by whether a revision is ACTIVE', async () => {
  const context = await withFamilies()
  const families = (input: Parameters<typeof listTaskDefinitionFamilies.run>[1]) =>
    listTaskDefinitionFamilies.run(context, input).families
  expect(families({})).toEqual(['db', 'web', 'web-api'])
  expect(families({ familyPrefix: 'we' })).toEqual(['web', 'web-api'])
  expect(families({ familyPrefix: 'web' })).toEqual(['web', 'web-api'])
  expect(families({ status: 'INACTIVE' })).toEqual([])

  for (const taskDefinition of numbered('db', 1, 11))
    deregisterTaskDefinition.run(context, { taskDefinition })
  expect(families({ status: 'INACTIVE' })).toEqual(['db'])
  expect(families({ status: 'ACTIVE' })).toEqual(['web', 'web-api'])

  deleteTaskDefinitions.run(context, { taskDefinitions: numbered('db', 1, 10) })
  deleteTaskDefinitions.run(context, { taskDefinitions: ['db:11'] })
  // As long as a revision is being deleted, the name of its family is shown.
  expect(families({})).toEqual(['db', 'web', 'web-api'])
  expect(families({ status: 'INACTIVE' })).toEqual([])
  context.store.update((tx) => {
    for (const { taskDefinitionArn } of tx.by('taskDefinition', 'deleting', 'all'))
      tx.delete('taskDefinition', taskDefinitionArn)
  })
  expect(families({})).toEqual(['web', 'web-api'])
})

test('families come page by page', async () => {
  const context = await withFamilies()
  const first = listTaskDefinitionFamilies.run(context, { maxResults: 2 })
  expect(first.families).toEqual(['db', 'web'])
  const { nextToken = '' } = first
  expect(listTaskDefinitionFamilies.run(context, { nextToken })).toEqual({ families: ['web-api'] })
  expect(refusalOf(() => listTaskDefinitions.run(context, { nextToken }))).toBe(
    'InvalidParameterException: Invalid token',
  )
})

test('a status and an order that there are not are refused, not taken for an empty list', async () => {
  const context = await testContext()
  expect(refusalOf(() => listTaskDefinitions.run(context, { status: 'ALL' as 'ACTIVE' }))).toBe(
    'InvalidParameterException: status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]',
  )
  expect(refusalOf(() => listTaskDefinitions.run(context, { sort: 'UP' as 'ASC' }))).toBe(
    'InvalidParameterException: sort should be one of [ASC,DESC]',
  )
  expect(
    refusalOf(() => listTaskDefinitionFamilies.run(context, { status: 'DELETE_IN_PROGRESS' as 'ACTIVE' })),
  ).toBe('InvalidParameterException: status should be one of [ACTIVE,INACTIVE,ALL]')
})
