import { services } from '@berth/control-plane/api/services.ts'
import { storedOnly } from '@berth/control-plane/api/stored-only.ts'
import { loadModel, serviceNames } from '@berth/wire/model.ts'
import { expect, test } from 'vitest'
import { renderCompatibility, writtenCompatibility } from './compatibility.ts'

test('docs/compatibility.md says what the operation tables say', async () => {
  expect(writtenCompatibility()).toBe(await renderCompatibility())
})

test.each(serviceNames)('every row of %s is an operation of its model', async (service) => {
  const model = await loadModel(service)
  expect(Object.keys(services[service]).filter((name) => !model.has(name))).toEqual([])
})

test('every stored-only parameter is one of an operation that Berth has, and begins with a member of its input', async () => {
  const strangers = []
  for (const row of storedOnly) {
    const service = serviceNames.find((name) => name === row.service)
    const operation = service && (await loadModel(service)).get(row.operation)
    const table = service && services[service][row.operation]
    const member = /^\w+/.exec(row.parameter)?.[0] ?? ''
    if (!operation?.input.members.has(member) || !table || 'notImplemented' in table) strangers.push(row)
  }
  expect(strangers).toEqual([])
})
