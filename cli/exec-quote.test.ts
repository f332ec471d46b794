import { commandWords } from '@berth/agent/runtime/exec-words.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quoted } from './exec-quote.ts'

test.each([
  ['/bin/ls', '/bin/ls'],
  ['a b', "'a b'"],
  ['', "''"],
  ["it's", `'it'"'"'s'`],
])('says %j as %s', (word, said) => {
  expect(quoted(word)).toBe(said)
})

test('the agent reads any words as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(commandWords(words.map(quoted).join(' '))).toEqual(words)
    }),
  )
})
