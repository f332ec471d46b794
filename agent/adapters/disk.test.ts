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

test('a file that is no JSON is put aside, and the others are read', async () => {
  const disk = new FileDisk(directory)
  await disk.save('task-1', { at: 1 })
  await writeFile(join(directory, 'task-2.json'), '')
  expect(await new FileDisk(directory).load()).toEqual(new Map([['task-1', { at: 1 }]]))
  expect((await readdir(directory)).toSorted()).toEqual(['task-1.json', 'task-2.json.unreadable'])
})

test('a value that cannot be written leaves nothing behind', async () => {
  const disk = new FileDisk(directory)
  await disk.save('task-1', { at: 1 })
  const unwritable = {
    toJSON: () => {
      throw new Error('ENOSPC')
    },
  }
  await expect(disk.save('task-1', unwritable)).rejects.toThrow('ENOSPC')
  expect(await readdir(directory)).toEqual(['task-1.json'])
  expect(await disk.load()).toEqual(new Map([['task-1', { at: 1 }]]))
})
