import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rootKey, rootKeyBytes, vaultInMemory, vaultOf } from './vault.ts'

const ids = idsFrom(prng(1))
const key = (byte: number) => rootKey(Buffer.alloc(rootKeyBytes, byte))

test('opens what it sealed, whatever text it is, and shows nothing of it', () => {
  const vault = vaultInMemory(ids)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
      const sealed = vault.seal(text, context)
      expect(vault.open(sealed, context)).toBe(text)
      expect(sealed).toMatch(/^v1\.[0-9a-f]{16}\.[A-Za-z0-9_-]+$/)
      expect(text.length > 8 && sealed.includes(text)).toBe(false)
    }),
  )
})

test('seals the same text otherwise each time', () => {
  const vault = vaultInMemory(ids)
  expect(vault.seal('a', 'row')).not.toBe(vault.seal('a', 'row'))
})

test('opens nothing for another row, with another key, or that was changed', () => {
  const vault = vaultOf([key(1)], ids)
  const sealed = vault.seal('hidden', 'row 1')
  expect(() => vault.open(sealed, 'row 2')).toThrow('unable to authenticate data')
  expect(() => vaultOf([key(2)], ids).open(sealed, 'row 1')).toThrow(
    `a value of row 1 was sealed with the root key ${key(1).keyId}, which is not here`,
  )
  const [head = '', keyId = '', data = ''] = sealed.split('.')
  const changed = [head, keyId, (data.startsWith('A') ? 'B' : 'A') + data.slice(1)].join('.')
  expect(() => vault.open(changed, 'row 1')).toThrow('unable to authenticate data')
})

test('a new key seals from then on, and the old one still opens', () => {
  const old = vaultOf([key(1)], ids)
  const both = vaultOf([key(2), key(1)], ids)
  expect(both.open(old.seal('kept', 'row'), 'row')).toBe('kept')
  expect(both.seal('new', 'row')).toContain(`.${key(2).keyId}.`)
})
