import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { listTaskDefinitionFamilies, listTaskDefinitions } from './task-definition-list.ts'
import { refusalOf } from './testing-rows.ts'

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
