import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { AgentBench, sleeperTask } from './agent-bench.ts'
import { OwnDockerd } from './own-dockerd.ts'

const image = 'busybox:1'
const liveRestore = ['--live-restore']
const dockerd = new OwnDockerd()
let run = 0
let bench = new AgentBench(dockerd, 'agent-0')

beforeAll(async () => {
  await dockerd.start(liveRestore)
  dockerd.importBusybox(image)
})
afterAll(() => dockerd.remove())
beforeEach(async () => {
  bench = new AgentBench(dockerd, `agent-${++run}`)
  await bench.start()
})
afterEach(async () => {
  await bench.end()
  dockerd.removeContainers()
})

const sleeper = (id: string, more: object = {}) => sleeperTask(id, image, more)
const stop = ({ arn }: { readonly arn: string }) => ({ arn, desiredStatus: 'STOPPED' }) as const

test('the data directory is lost: what runs is ended, said to have ended, and never runs twice', async () => {
  const task = sleeper('orphan')
  bench.control.send(task)
  await bench.told(task, 'RUNNING')
  await bench.restart(() => rmSync(bench.directory, { recursive: true }))
  expect(await bench.told(task, 'STOPPED')).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 137'])
  expect(dockerd.docker('ps', '--all', '--quiet')).toBe('')
  const next = sleeper('next')
  bench.control.send(next)
  expect(await bench.told(next, 'RUNNING')).toEqual(['RUNNING | web RUNNING'])
})

test('docker stop behind its back is the end of the task, docker pause is not', async () => {
  const [stopped, paused] = [sleeper('stopped'), sleeper('paused')]
  bench.control.send(stopped, paused)
  await bench.told(stopped, 'RUNNING')
  await bench.told(paused, 'RUNNING')
  dockerd.docker('pause', bench.idOf(paused))
  dockerd.docker('stop', '--time', '1', bench.idOf(stopped))
  expect((await bench.told(stopped, 'STOPPED')).at(-1)).toBe('STOPPED | web STOPPED 137')
  await bench.restart()
  await sleep(500)
  expect(bench.control.told(paused.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.state(bench.idOf(paused), 'Status')).toBe('paused')
  // What is paused can be stopped all the same.
  bench.control.send(stop(paused))
  expect((await bench.told(paused, 'STOPPED')).at(-1)).toBe('STOPPED | web STOPPED 137')
})

test('the host loses power: its tasks are told to have ended once, and new ones run', async () => {
  const tasks = [sleeper('one'), sleeper('two')]
  bench.control.send(...tasks)
  for (const task of tasks) await bench.told(task, 'RUNNING')
  await bench.restart(async () => {
    await dockerd.losePower()
    await dockerd.start(liveRestore)
  })
  for (const task of tasks) {
    const said = await bench.told(task, 'STOPPED')
    expect(said.length).toBe(2)
    expect(said.at(-1)).toMatch(/^STOPPED \| web STOPPED/)
  }
  const next = sleeper('next')
  bench.control.send(next)
  await bench.told(next, 'RUNNING')
})

test('a full disk: the agent says so, tells what happens all the same, and takes tasks again when there is room', async () => {
  const directory = join(dockerd.directory, 'small-disk')
  mkdirSync(directory)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory])
  await bench.end()
  bench = new AgentBench(dockerd, 'small-disk')
  await bench.start()
  const task = sleeper('kept')
  bench.control.send(task)
  await bench.told(task, 'RUNNING')
  const filler = join(directory, 'filler')
  try {
    writeFileSync(filler, Buffer.alloc(1 << 20))
  } catch {
    // It is as large as the disk lets it be.
  }
  const late = sleeper('late')
  const refused = bench.control.send(late)
  dockerd.docker('kill', bench.idOf(task))
  expect((await bench.told(task, 'STOPPED')).at(-1)).toBe('STOPPED | web STOPPED 137')
  expect(bench.control.acknowledged(refused)).toBe(false)
  expect(bench.logged.some((line) => line.includes('ENOSPC'))).toBe(true)
  expect(readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([])
  rmSync(filler)
  bench.control.send(late)
  await bench.told(late, 'RUNNING')
  await bench.restart()
  await sleep(500)
  expect(bench.control.told(late.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.control.told(task.arn).at(-1)).toBe('STOPPED | web STOPPED 137')
})
