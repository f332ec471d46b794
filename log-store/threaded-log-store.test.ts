import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeBatch } from './block.ts'
import { openLogStore } from './threaded-log-store.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-log-store-'))
afterAll(() => rmSync(root, { recursive: true }))
const query = { from: 0, until: 100, descending: false, limit: 10, bytesMax: 1000, budgetMs: 1000 }

test('keeps logs in another thread, and finds them again', async () => {
  const path = join(root, 'logs')
  const store = await openLogStore(path, { bytesMax: 1e9 })
  await store.createStream('g', 's', 1)
  const batch = encodeBatch([{ timestamp: 5, message: 'five' }], 6)
  expect(await store.append('g', 's', batch)).toBe(true)
  expect(await store.append('g', 'other', encodeBatch([], 6))).toBe(false)
  await store.close()
  await expect(store.size('g')).rejects.toThrow('were closed')

  const again = await openLogStore(path, { bytesMax: 1e9 })
  expect((await again.read('g', query)).events).toEqual([
    { timestamp: 5, sequence: 1, ingestedAt: 6, streamName: 's', message: 'five' },
  ])
  await expect(again.read('g', { ...query, pattern: 'a/b' })).rejects.toThrow('Invalid character')
  await again.close()
})

test('says why it cannot be opened', async () => {
  writeFileSync(join(root, 'file'), '')
  await expect(openLogStore(join(root, 'file'), { bytesMax: 1e9 })).rejects.toThrow(/EEXIST|ENOTDIR/)
})
