import { expect, test } from 'vitest'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'
import { RuntimeError } from './container-runtime.ts'
import { imageBytes } from './in-memory-runtime.ts'
import { type AgentConfig, agentDefaults } from './ports.ts'

const minute = 60_000
const newHost = (config?: FakeHostOptions['config'], runtime?: FakeHostOptions['runtime']): FakeHost =>
  new FakeHost(new SimulatedClock(1_000_000), { ...(config && { config }), ...(runtime && { runtime }) })
const taskOf = (id: string, image = 'web:1') => fakeTask(id, [fakeContainer('web', { image })])
const stop = (id: string) => ({ arn: taskOf(id).arn, desiredStatus: 'STOPPED' }) as const
const cleanup = (more: Partial<NonNullable<AgentConfig['imageCleanup']>> = {}): Partial<AgentConfig> => ({
  taskCleanupWaitMs: minute,
  ...(agentDefaults.imageCleanup && {
    imageCleanup: { ...agentDefaults.imageCleanup, intervalMs: 10 * minute, ...more },
  }),
})
const reasonOf = (host: FakeHost, id: string): string | undefined =>
  host.control.submissions
    .filter(({ task }) => task === taskOf(id).arn)
    .flatMap(({ containers }) => containers ?? [])
    .at(-1)?.reason

/** What is at hand before, whether the registry answers; how many pulls succeed then, and whether the task runs. */
const behaviours: ReadonlyArray<
  readonly [AgentConfig['imagePullBehavior'], 'cached' | 'absent', 'up' | 'down', number, boolean]
> = [
  ['default', 'absent', 'up', 2, true],
  ['default', 'cached', 'up', 2, true],
  ['default', 'cached', 'down', 0, true],
  ['default', 'absent', 'down', 0, false],
  ['always', 'cached', 'up', 2, true],
  ['always', 'cached', 'down', 0, false],
  ['once', 'absent', 'up', 1, true],
  // What others brought here was pulled by no task.
  ['once', 'cached', 'up', 1, true],
  ['once', 'cached', 'down', 0, true],
  ['prefer-cached', 'absent', 'up', 1, true],
  ['prefer-cached', 'cached', 'up', 0, true],
  ['prefer-cached', 'cached', 'down', 0, true],
  ['prefer-cached', 'absent', 'down', 0, false],
]
test.each(behaviours)('%s, image %s, registry %s: %d pulls for two tasks', async (...row) => {
  const [imagePullBehavior, cached, registry, pulls, runs] = row
  for (const withCleanup of [true, false]) {
    const { imageCleanup: _none, ...bare } = agentDefaults
    const host = newHost(
      withCleanup ? { imagePullBehavior } : { ...bare, cluster: 'proof', imagePullBehavior },
      { hasImage: () => registry === 'up' },
    )
    if (cached === 'cached') host.runtime.images.set('web:1', { id: 'sha256:there' })
    await host.start()
    await host.send(taskOf('one'))
    await host.restart()
    await host.send(taskOf('two'))
    await host.run(minute)
    expect(host.runtime.pulls.get('web:1') ?? 0).toBe(pulls)
    expect(host.control.told(taskOf('two').arn)[0]).toMatch(runs ? /^RUNNING/ : /^STOPPED/)
  }
})

test('tasks that want the same image at once share one pull, and so many are pulled at a time', async () => {
  let now = 0
  let most = 0
  const host: FakeHost = newHost(
    { imagePullsAtOnceMax: 2 },
    {
      fault: async (call, moment) => {
        if (call !== 'pull') return
        now += moment === 'before' ? 1 : -1
        most = Math.max(most, now)
        if (moment === 'before')
          await new Promise<void>((resolve) => host.clock.at(host.clock.now() + 50, resolve))
      },
    },
  )
  await host.start()
  const images = ['a:1', 'b:1', 'c:1', 'd:1', 'a:1', 'a:1']
  await host.send(...images.map((image, index) => taskOf(`t${index}`, image)))
  expect(host.agent.pulls().map(({ image }) => image)).toEqual(['a:1', 'b:1'])
  await host.run(minute)
  expect([...host.runtime.pulls]).toEqual([
    ['a:1', 1],
    ['b:1', 1],
    ['c:1', 1],
    ['d:1', 1],
  ])
  expect(most).toBe(2)
  expect(host.agent.pulls()).toEqual([])
})

const failures: ReadonlyArray<readonly [string, string, string]> = [
  [
    'the role may not pull',
    "Error response from daemon: pull access denied for web, repository does not exist or may require 'docker login': denied: User: arn:aws:sts::1:assumed-role/r/i is not authorized to perform: ecr:BatchGetImage on resource: web",
    'CannotPullContainerError: The task can’t pull the image. Check that the role has the permissions to pull images from the registry. Error response from daemon: pull access denied',
  ],
  [
    'the image may not exist',
    "Error response from daemon: pull access denied for web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'CannotPullContainerError: The task can’t pull the image. Check whether the image exists. Error response from daemon: pull access denied',
  ],
  [
    'the registry is out of reach',
    'Error response from daemon: Get "https://r/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'CannotPullContainerError: The task can’t pull the image. Check your network configuration. Error response from daemon: Get "https://r/v2/"',
  ],
  ['nothing more is known', 'unexpected EOF', 'CannotPullContainerError: unexpected EOF'],
]
test.each(failures)('a pull that fails says what to check: %s', async (_, message, reason) => {
  const fault = (call: string): void => {
    if (call === 'pull') throw new RuntimeError('refused', message)
  }
  const host = newHost({}, { fault })
  await host.start()
  await host.send(taskOf('fails'))
  await host.run(minute)
  expect(reasonOf(host, 'fails')?.startsWith(reason)).toBe(true)
})

test('a pull that takes longer than it may fails the task', async () => {
  const fault = (call: string): Promise<void> | void => {
    if (call === 'pull') return new Promise(() => undefined)
  }
  const host = newHost({ imagePullTimeoutMs: 90 * minute }, { fault })
  await host.start()
  await host.send(taskOf('slow'))
  await host.run(89 * minute)
  expect(host.control.told(taskOf('slow').arn)).toEqual([])
  await host.run(2 * minute)
  expect(reasonOf(host, 'slow')).toBe(
    'DockerTimeoutError: Could not transition to pulled; timed out after waiting 1h30m0s',
  )
})

test('images go an hour after their last task did, so many at a time, and never one that a task has', async () => {
  const host = newHost(cleanup({ imagesPerCycle: 2 }))
  await host.start()
  const images = ['a:1', 'b:1', 'c:1', 'd:1']
  await host.send(...images.map((image) => taskOf(image, image)))
  for (const image of images.slice(0, 3)) await host.send(stop(image))
  await host.run(55 * minute)
  expect(host.runtime.images.size).toBe(4)
  await host.run(20 * minute)
  expect(host.runtime.images.size).toBe(2)
  await host.run(600 * minute)
  expect([...host.runtime.images.keys()]).toEqual(['d:1'])
})

test('a disk that is too full takes images before their time, the longest unneeded first', async () => {
  const host = newHost(cleanup({ diskUsedPercentMax: 50 }), { diskBytes: 4 * imageBytes })
  await host.start()
  await host.send(taskOf('a', 'a:1'), taskOf('b', 'b:1'), taskOf('c', 'c:1'))
  await host.send(stop('b'))
  await host.run(2 * minute)
  await host.send(stop('a'))
  await host.run(9 * minute)
  expect([...host.runtime.images.keys()]).toEqual(['a:1', 'c:1'])
})

test('a pull that finds no room takes all images that no task has, and goes on', async () => {
  const host = newHost(cleanup({ diskUsedPercentMax: 0 }), { diskBytes: 2 * imageBytes })
  await host.start()
  await host.send(taskOf('a', 'a:1'), taskOf('b', 'b:1'))
  await host.send(stop('a'))
  await host.run(2 * minute)
  await host.send(taskOf('c', 'c:1'))
  await host.run(minute)
  expect(host.control.told(taskOf('c').arn)).toEqual(['RUNNING | web RUNNING'])
  await host.send(taskOf('d', 'd:1'))
  await host.run(minute)
  expect(reasonOf(host, 'd')).toMatch(/^CannotPullContainerError: .*no space left on device$/)
})

test('images of nobody go only where that is asked for, except those excluded', async () => {
  for (const untracked of [undefined, { minimumAgeMs: minute, excluded: ['kept:1'] }]) {
    const host = newHost(cleanup(untracked && { untracked }))
    for (const image of ['kept:1', 'old:1']) host.runtime.images.set(image, { id: `sha256:${image}` })
    await host.start()
    await host.run(15 * minute)
    expect([...host.runtime.images.keys()]).toEqual(untracked ? ['kept:1'] : ['kept:1', 'old:1'])
  }
})

test('prefer-cached removes nothing: an image at hand may be the only one there will ever be', async () => {
  const host = newHost({ ...cleanup(), imagePullBehavior: 'prefer-cached' })
  await host.start()
  await host.send(taskOf('a', 'a:1'))
  await host.send(stop('a'))
  await host.run(300 * minute)
  expect([...host.runtime.images.keys()]).toEqual(['a:1'])
})

test('an image that is wanted while it is being removed is pulled again', async () => {
  const host: FakeHost = newHost(cleanup({ minimumAgeMs: 0 }), {
    fault: async (call, moment) => {
      if (call === 'removeImage' && moment === 'before')
        await new Promise<void>((resolve) => host.clock.at(host.clock.now() + minute, resolve))
    },
  })
  await host.start()
  await host.send(taskOf('a', 'a:1'))
  await host.send(stop('a'))
  await host.run(10 * minute)
  await host.send(taskOf('b', 'a:1'))
  await host.run(5 * minute)
  expect(host.control.told(taskOf('b').arn)).toEqual(['RUNNING | web RUNNING'])
  expect(host.runtime.pulls.get('a:1')).toBe(2)
})
