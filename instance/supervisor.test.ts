import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, expect, test } from 'vitest'
import { systemClock } from '@berth/std/system-clock.ts'
import { supervise } from './supervisor.ts'

function directoryOfTest(): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-supervisor-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

test('a process that ends is started again, without the pid file it left, until its code is terminal', async () => {
  const directory = directoryOfTest()
  const pidFile = join(directory, 'pid')
  writeFileSync(pidFile, '1')
  const script =
    '[ -e pid ] && exit 5; echo started; touch pid; [ "$(grep -c started log)" = 2 ] && exit 6; exit 1'
  const said: string[] = []
  await supervise(
    {
      name: 'daemon',
      command: ['sh', '-c', `cd ${directory}; ${script}`],
      env: { PATH: process.env['PATH'] ?? '' },
      logFile: join(directory, 'log'),
      terminalCodes: [5, 6],
      pidFile,
    },
    { clock: systemClock, stop: new AbortController().signal, log: (text) => said.push(text) },
  )
  expect(said).toEqual(['daemon ended: exit code 1', 'daemon ended: exit code 6'])
  expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('started\nstarted\n')
})
