import { loadModel } from '@berth/wire/model.ts'
import { expect, test } from 'vitest'
import { storedOnly } from '#api/stored-only.ts'
import { testContext } from '#api/testing.ts'
import { inputs } from './inputs.ts'
import { operations } from './operations.ts'
import { runInstances } from './run-instances.ts'

const model = await loadModel('ec2')
interface Members {
  readonly honoured: readonly string[]
  readonly refused?: readonly string[]
}
const membersOf = (operation: string): Members => {
  const table: Readonly<Record<string, Members>> = inputs
  return table[operation] ?? { honoured: [] }
}

test.each(Object.keys(operations))('%s ignores nothing it is given in silence', (operation) => {
  const { honoured, refused = [] } = membersOf(operation)
  const stored = storedOnly
    .filter((row) => row.service === 'ec2' && row.operation === operation)
    .map(({ parameter }) => /^\w+/.exec(parameter)?.[0] ?? '')
  const known = new Set([...honoured, ...refused, ...stored])
  expect([...known].toSorted()).toEqual([...(model.get(operation)?.input.members.keys() ?? [])].toSorted())
  expect(refused.filter((member) => honoured.includes(member) || stored.includes(member))).toEqual([])
})

test.each(inputs.RunInstances.refused)('refuses a launch with %s', async (member) => {
  const context = await testContext()
  const launch = (value: unknown): unknown =>
    runInstances(context, { MinCount: 1, MaxCount: 1, [member]: value })
  expect(() => launch([{}])).toThrow(`Berth does not support ${member} in RunInstances.`)
  expect(() => launch([])).not.toThrow()
})
