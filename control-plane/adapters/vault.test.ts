import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemIds } from '@berth/std/system-ids.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memoryJournal } from '#state/journal.ts'
import { Store } from '#state/store.ts'
import { openVault, rootKeyFile } from './vault.ts'

let directory: string
let store: Store
let file: string
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-vault-'))
  file = join(directory, rootKeyFile)
  store = await Store.open(memoryJournal)
})
afterEach(() => rmSync(directory, { recursive: true }))

function keepSecret(): string {
  const sealed = openVault(directory, store, systemIds).seal('hidden', 'a 1')
  store.update((tx) =>
    tx.put('secretVersion', { secretArn: 'a', versionId: '1', stages: [], sealed, createdAt: 0 }),
  )
  return sealed
}

test('makes a key at the first start that only its owner can read, and uses it from then on', () => {
  const sealed = keepSecret()
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  expect(openVault(directory, store, systemIds).open(sealed, 'a 1')).toBe('hidden')
})

test('closes a file that others could read', () => {
  openVault(directory, store, systemIds)
  chmodSync(file, 0o644)
  openVault(directory, store, systemIds)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

describe('when secrets are kept', () => {
  beforeEach(() => void keepSecret())

  test('does not start without their key, and makes none in its place', () => {
    rmSync(file)
    expect(() => openVault(directory, store, systemIds)).toThrow(
      `${file} is not there, and secrets are sealed with it; put it back from where you keep its copy`,
    )
    expect(() => statSync(file)).toThrow('ENOENT')
  })

  test('does not start with another key', () => {
    writeFileSync(file, `${systemIds.hex(64)}\n`)
    expect(() => openVault(directory, store, systemIds)).toThrow(
      /is not the key that secrets are sealed with \([0-9a-f]{16}\); put that one back, or add it as a further line/,
    )
  })

  test('starts with a new key above the old one, and not without the old one', () => {
    const old = readFileSync(file, 'utf8')
    const fresh = `${systemIds.hex(64)}\n`
    writeFileSync(file, fresh + old)
    const sealed = openVault(directory, store, systemIds).seal('second', 'b')
    expect(openVault(directory, store, systemIds).open(sealed, 'b')).toBe('second')
    writeFileSync(file, old)
    expect(() => openVault(directory, store, systemIds)).toThrow(
      'is not the key that secrets are sealed with',
    )
  })
})

test('makes a new key when the old one is gone and nothing was sealed with it', () => {
  openVault(directory, store, systemIds)
  rmSync(file)
  const sealed = openVault(directory, store, systemIds).seal('a', 'b')
  expect(openVault(directory, store, systemIds).open(sealed, 'b')).toBe('a')
})

test.each([
  ['', 'is empty'],
  ['secret\n', 'holds a line that is no key of 64 hexadecimal digits'],
])('does not start with a file that holds %j', (text, why) => {
  writeFileSync(file, text)
  expect(() => openVault(directory, store, systemIds)).toThrow(why)
})
