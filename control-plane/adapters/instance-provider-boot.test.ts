import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@berth/std/system-clock.ts'
import { afterAll, expect, test } from 'vitest'
import { isBooted } from './instance-provider-boot.ts'
import { installationOf, readRecord, writeRecord } from './instance-provider-host.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-boot-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('says with the end of its log why an instance does not boot', async () => {
  const id = 'i-00000000000000001'
  mkdirSync(join(directory, 'instances', id), { recursive: true })
  const boot = (): Promise<boolean> => isBooted(installationOf(directory), id, systemClock)
  await expect(boot()).rejects.toThrow('the instance does not boot: its init ended; its log is empty')
  writeFileSync(join(directory, 'instances', id, 'instance.log'), 'one\ntwo\nthree\nfour\n')
  await expect(boot()).rejects.toThrow('its init ended; its log ends with: two; three; four')
})

test('reads a record as it was written, and none where there is none or half of one', () => {
  const file = join(directory, 'record.json')
  expect(readRecord(file)).toBeUndefined()
  writeRecord(file, { pid: 1 })
  expect(readRecord(file)).toEqual({ pid: 1 })
  writeFileSync(file, '{"pid":')
  expect(readRecord(file)).toBeUndefined()
  expect(readdirSync(directory)).not.toContain('record.json.new')
})
