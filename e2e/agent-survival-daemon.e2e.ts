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

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'with live-restore a daemon ended by %s leaves the container as it is, and what ended meanwhile is told',
  async (signal) => {
    const [kept, ended] = [
      sleeper('kept'),
      sleeper('ended', { command: ['/bin/sh', '-c', 'sleep 6; exit 5'] }),
    ]
    bench.control.send(kept, ended)
    await bench.told(kept, 'RUNNING')
    await bench.told(ended, 'RUNNING')
    const id = bench.idOf(kept)
    const startedAt = bench.state(id, 'StartedAt')
    await dockerd.end(signal)
    await bench.until(() => bench.runtimeStatuses().at(-1) === 'IMPAIRED')
    await sleep(7000)
    await dockerd.start(liveRestore)
    await bench.until(() => bench.runtimeStatuses().at(-1) === 'OK')
    expect((await bench.told(ended, 'STOPPED')).at(-1)).toBe('STOPPED | web STOPPED 5')
    expect(bench.control.told(kept.arn)).toEqual(['RUNNING | web RUNNING'])
    expect(bench.state(id, 'Status')).toBe('running')
    expect(bench.state(id, 'StartedAt')).toBe(startedAt)
  },
)

test('a daemon that restarts without live-restore ends its containers, each told once', async () => {
  const task = sleeper('ends')
  bench.control.send(task)
  await bench.told(task, 'RUNNING')
  await dockerd.end('SIGTERM')
  await dockerd.start()
  await dockerd.end('SIGTERM')
  await dockerd.start(liveRestore)
  expect((await bench.told(task, 'STOPPED')).at(-1)).toMatch(/^STOPPED \| web STOPPED/)
  expect(bench.control.told(task.arn).length).toBe(2)
})

test('a daemon that hangs is noticed and waited for; nothing is invented of its containers', async () => {
  const task = sleeper('hangs')
  bench.control.send(task)
  await bench.told(task, 'RUNNING')
  dockerd.hang()
  try {
    // It is asked every 15 seconds and has 10 to answer.
    await bench.until(() => bench.runtimeStatuses().at(-1) === 'IMPAIRED')
  } finally {
    dockerd.resume()
  }
  await bench.until(() => bench.runtimeStatuses().at(-1) === 'OK')
  const next = sleeper('after')
  bench.control.send(next)
  await bench.told(next, 'RUNNING')
  expect(bench.control.told(task.arn)).toEqual(['RUNNING | web RUNNING'])
})
