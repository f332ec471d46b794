import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileDisk } from './disk.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-disk-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('gives back what was saved last, and nothing of what was removed', async () => {
  const disk = new FileDisk(directory)
  await disk.load()
  await disk.save('task-1', { at: 1 })
  await disk.save('task-1', { at: 2 })
  await disk.save('task-2', {})
  await disk.remove('task-2')
  await disk.remove('task-2')
  expect(await new FileDisk(directory).load()).toEqual(new Map([['task-1', { at: 2 }]]))
})

test('what a crash left half written is dropped', async () => {
  await writeFile(join(directory, 'task-1.json.3.tmp'), '{"at":')
  expect(await new FileDisk(directory).load()).toEqual(new Map())
  expect(await readdir(directory)).toEqual([])
})
