import { expect, test } from 'vitest'
import { fractions } from './fractions.ts'
import { decodeJson } from './json.ts'
import { loadModel, serviceNames } from './model.ts'
import type { Shape, StructShape } from './shape.ts'

const inputOf = async (operation: string): Promise<StructShape> => {
  const found = (await loadModel('ecs')).get(operation)
  if (!found) throw new Error('no such operation')
  return found.input
}
const read = async (operation: string, input: object): Promise<object> =>
  decodeJson(await inputOf(operation), Buffer.from(JSON.stringify(input)))

test('every member that takes fractions is a number of some request', async () => {
  const found = new Set<string>()
  const seen = new Set<Shape>()
  const walk = (shape: Shape): void => {
    if (seen.has(shape)) return
    seen.add(shape)
    if (shape.kind === 'list') walk(shape.item)
    if (shape.kind === 'map') walk(shape.value)
    if (shape.kind !== 'struct') return
    for (const [name, member] of shape.members) {
      if (member.shape.kind === 'number') found.add(`${shape.name}.${name}`)
      walk(member.shape)
    }
  }
  for (const service of serviceNames) for (const { input } of (await loadModel(service)).values()) walk(input)
  expect([...found].toSorted()).toEqual([...fractions].toSorted())
})

test.each([
  ['RunTask', { count: 1.5 }],
  ['CreateService', { desiredCount: 1.5 }],
  ['UpdateService', { healthCheckGracePeriodSeconds: 0.5 }],
  ['RegisterTaskDefinition', { containerDefinitions: [{ portMappings: [{ containerPort: 80.5 }] }] }],
  ['RegisterTaskDefinition', { containerDefinitions: [{ memory: 1e300 }] }],
  ['SubmitTaskStateChange', { containers: [{ exitCode: 0.1 }] }],
])('%s takes no fraction for a whole number: %j', async (operation, input) => {
  await expect(read(operation, input)).rejects.toThrow('NUMBER_VALUE cannot be converted to Integer')
})

test('a fraction is read where one is meant', async () => {
  const resources = { totalResources: [{ name: 'X', doubleValue: 0.5, integerValue: 1 }] }
  expect(await read('RegisterContainerInstance', resources)).toEqual(resources)
  expect(await read('UpdateTaskSet', { scale: { value: 12.5, unit: 'PERCENT' } })).toEqual({
    scale: { value: 12.5, unit: 'PERCENT' },
  })
})
