import type { Shape, StructShape } from '@berth/wire/shape.ts'
import { expect, test } from 'vitest'
import { placesOf, probe } from './parameter-probe-testing.ts'

const struct = (name: string, members: Readonly<Record<string, Shape>>): StructShape => ({
  kind: 'struct',
  name,
  required: [],
  members: new Map(
    Object.entries(members).map(([member, shape]) => [
      member,
      { name: member, shape, queryName: member, ec2Name: member },
    ]),
  ),
})
const text: Shape = { kind: 'string' }
const input = struct('Input', {
  heeded: text,
  ignored: text,
  refused: text,
  checked: text,
  list: { kind: 'list', item: struct('Item', { inner: text, forgotten: text }), queryName: undefined },
})

interface Given {
  readonly heeded?: string
  readonly refused?: string
  readonly checked?: string
  readonly list?: ReadonlyArray<{ readonly inner?: string }>
}

/** An operation that stores `heeded` and `list[].inner`, looks whether `checked` is valid and does not support `refused`. */
function operation({ heeded, refused, checked, list = [] }: Given): { code?: string; answer?: unknown } {
  if (refused !== undefined) return { code: 'UnsupportedFeatureException' }
  if (checked !== undefined && checked.length > 256) return { code: 'InvalidParameterException' }
  return { answer: { heeded, list: list.map(({ inner }) => inner) } }
}

test('finds what an operation does with each member of its input', async () => {
  const probed = await probe('Some', input, [{}], {
    likely: () => [],
    send: (_, given) => {
      const { code, answer } = operation(given)
      return Promise.resolve({ code, message: code ?? '', seen: JSON.stringify([code, answer]) })
    },
  })
  const found = Object.fromEntries(probed.map(({ path, ...rest }) => [path, rest]))
  const honoured = { heeded: true, affects: true, taken: true, refused: false, unsupported: undefined }
  expect(found).toEqual({
    heeded: honoured,
    ignored: { heeded: false, affects: false, taken: true, refused: false, unsupported: undefined },
    refused: {
      heeded: true,
      affects: false,
      taken: false,
      refused: false,
      unsupported: 'UnsupportedFeatureException',
    },
    checked: { heeded: true, affects: false, taken: true, refused: true, unsupported: undefined },
    list: honoured,
    'list[].inner': honoured,
    'list[].forgotten': {
      heeded: false,
      affects: false,
      taken: true,
      refused: false,
      unsupported: undefined,
    },
  })
})

test('names every member, and enters a structure within itself once', () => {
  const members = new Map(input.members)
  const self: StructShape = { ...input, name: 'Self', members }
  members.set('self', { name: 'self', shape: self, queryName: 'self', ec2Name: 'self' })
  expect(placesOf(self).map(({ path }) => path)).toEqual([
    'heeded',
    'ignored',
    'refused',
    'checked',
    'list',
    'list[].inner',
    'list[].forgotten',
    'self',
  ])
})
