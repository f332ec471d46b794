import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findBusybox, isStatic } from './busybox.ts'

/** A 64-bit ELF file with one program header of that type. */
function elf(segmentType: number): Buffer {
  const file = Buffer.alloc(64 + 56)
  file.writeUInt32BE(0x7f_45_4c_46, 0)
  file[4] = 2
  file[5] = 1
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt32LE(segmentType, 64)
  return file
}

async function fileOf(content: Buffer | string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-busybox-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'busybox'), content)
  return join(folder, 'busybox')
}

test.each([
  ['a program without an interpreter', elf(1), true],
  ['a program with an interpreter', elf(3), false],
  ['a script', '#!/bin/sh\n', false],
  ['an empty file', '', false],
  ['a program cut short', elf(1).subarray(0, 80), false],
])('%s: static is %s', async (_, content, expected) => {
  expect(await isStatic(await fileOf(content))).toBe(expected)
})

test('takes the program that BERTH_BUSYBOX names, and no other', async () => {
  const path = await fileOf(elf(1))
  expect(await findBusybox({ BERTH_BUSYBOX: path })).toBe(path)
  expect(await findBusybox({ BERTH_BUSYBOX: `${path}-that-is-not-there` })).toBeUndefined()
})
