import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBusybox } from './busybox.ts'
import { provideToolbox, toolboxResource } from './toolbox.ts'
import type { TaskRecord } from '#engine/task-record.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-toolbox-'))
const own = join(directory, 'own')
let toolbox = ''

beforeAll(async () => {
  const busybox = await findBusybox({})
  if (busybox === undefined) throw new Error('install busybox-static')
  toolbox = await provideToolbox(busybox, join(directory, 'toolboxes'))
  mkdirSync(own)
  writeFileSync(join(own, 'ls'), '#!/bin/sh\necho the ls of the image "$@"\n')
  chmodSync(join(own, 'ls'), 0o755)
})
afterAll(() => rmSync(directory, { recursive: true }))

/** What a command prints that is run as a session runs it, in a container whose only programs are those of `own`. */
function run(...words: string[]): {
  readonly out: string
  readonly error: string
  readonly code: number | null
} {
  const args = ['sh', join(toolbox, 'run'), toolbox, ...words]
  const { stdout, stderr, status } = spawnSync(join(toolbox, 'busybox'), args, {
    env: { PATH: own },
    encoding: 'utf8',
  })
  return { out: stdout, error: stderr, code: status }
}

test('the programs of the image come first', () => {
  expect(run('ls', 'a b', '*')).toMatchObject({ out: 'the ls of the image a b *\n', code: 0 })
})

test('a program that the image lacks is the one of the toolbox', () => {
  expect(run('basename', '/a/b')).toMatchObject({ out: 'b\n', code: 0 })
  expect(run('/no/such/path/sh', '-c', 'echo $0 $1; exit 3', 'x', 'y')).toMatchObject({
    out: 'x y\n',
    code: 3,
  })
})

test('a program that neither has is told in the words of AWS', () => {
  expect(run('nothing')).toEqual({
    out: '',
    error:
      'Unable to start command: Failed to start pty: exec: "nothing": executable file not found in $PATH\n',
    code: 127,
  })
  expect(run('/bin/nothing').error).toBe(
    'Unable to start command: Failed to start pty: fork/exec /bin/nothing: no such file or directory\n',
  )
})

test('a shell started there finds the rest of the toolbox and the programs of the image, and a language', () => {
  writeFileSync(join(own, 'of-the-image'), '#!/bin/sh\necho here\n', { mode: 0o755 })
  const script = 'echo $LANG; seq 2 | tail -n1; of-the-image; command -v sh > /dev/null'
  expect(run('sh', '-c', script)).toEqual({ out: 'C.UTF-8\n2\nhere\n', error: '', code: 0 })
})

test('is made once', async () => {
  const busybox = (await findBusybox({})) ?? ''
  expect(await provideToolbox(busybox, join(directory, 'toolboxes'))).toBe(toolbox)
  expect(readdirSync(join(directory, 'toolboxes'))).toHaveLength(1)
  expect(execFileSync('stat', ['-c', '%a', toolbox], { encoding: 'utf8' })).toBe('755\n')
})

test('comes read-only into the containers with execute command, at a place of their own', async () => {
  const managedAgents = [{ name: 'ExecuteCommandAgent' }]
  const record = {
    task: { containers: [{ name: 'web', managedAgents }, { name: 'side' }] },
    containers: [
      { name: 'web', metadataId: 'id-1' },
      { name: 'side', metadataId: 'id-2' },
    ],
  } as unknown as TaskRecord
  const resource = toolboxResource('/toolbox')
  expect(resource.isNeeded(record)).toBe(true)
  expect(await resource.provide(record)).toEqual({
    web: { binds: ['/toolbox:/ecs-execute-command-id-1:ro'] },
  })
})
