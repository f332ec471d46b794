import { attributes } from '@berth/agent/engine/registration.ts'
import { notOfferedCapabilities } from '@berth/control-plane/api/not-offered.ts'
import { parameterExceptions } from '@berth/control-plane/api/parameters.ts'
import { services } from '@berth/control-plane/api/services.ts'
import { loadModel, serviceNames } from '@berth/wire/model.ts'
import type { Shape } from '@berth/wire/shape.ts'
import { expect, test } from 'vitest'
import { renderCompatibility, writtenCompatibility } from './compatibility.ts'

test('docs/compatibility.md says what the operation tables say', async () => {
  expect(writtenCompatibility()).toBe(await renderCompatibility())
})

test.each(serviceNames)('every row of %s is an operation of its model', async (service) => {
  const model = await loadModel(service)
  expect(Object.keys(services[service]).filter((name) => !model.has(name))).toEqual([])
})

test('everything said of a parameter is said of one that its operation has, and Berth has the operation', async () => {
  const strangers = []
  for (const row of parameterExceptions) {
    const service = serviceNames.find((name) => name === row.service)
    const operation = service && (await loadModel(service)).get(row.operation)
    const table = service && services[service][row.operation]
    const known = operation && has(operation.input, row.parameter)
    if (!known || !table || 'notImplemented' in table) strangers.push(row)
  }
  expect(strangers).toEqual([])
})

test('one thing only is said of a parameter', () => {
  const all = parameterExceptions.map((row) => `${row.service} ${row.operation} ${row.parameter}`)
  expect(all.filter((each, index) => all.indexOf(each) < index)).toEqual([])
})

test('what is said not to be offered is not offered by the agent', () => {
  const host = {
    apiVersion: '1.50',
    loggingDrivers: [],
    external: true,
    cpuArchitecture: 'x86_64',
    custom: {},
  }
  const offered = new Set(attributes(host).map(({ name }) => name))
  expect(notOfferedCapabilities.filter(([, attribute]) => offered.has(attribute))).toEqual([])
})

/** Whether there is a member under the path: `a[].b`. */
function has(shape: Shape, path: string): boolean {
  if (path === '') return true
  if (path.startsWith('[]')) return shape.kind === 'list' && has(shape.item, path.slice(2))
  const [, name = '', rest = ''] = /^\.?(\w+)(.*)$/.exec(path) ?? []
  const member = shape.kind === 'struct' ? shape.members.get(name) : undefined
  return member !== undefined && has(member.shape, rest)
}
