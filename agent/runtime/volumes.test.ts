import { expect, test } from 'vitest'
import type { PayloadVolume } from '@berth/agent-protocol/payload.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { RuntimeError } from './container-runtime.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'

const mountPoints = [{ sourceVolume: 'data', containerPath: '/data', readOnly: false }]
/** A task whose only non-essential container mounts a Docker volume. */
const taskWith = (dockerVolumeConfiguration: NonNullable<PayloadVolume['dockerVolumeConfiguration']>) =>
  fakeTask('aaaa', [fakeContainer('web'), fakeContainer('loader', { essential: false, mountPoints })], {
    volumes: [{ name: 'data', type: 'docker', dockerVolumeConfiguration }],
  })
const missing = taskWith({ scope: 'shared', autoprovision: false })

async function started(runtime: FakeHostOptions['runtime'] = {}): Promise<FakeHost> {
  const bench = new FakeHost(new SimulatedClock(1_000_000), { runtime })
  await bench.start()
  return bench
}
const reasons = (bench: FakeHost): string =>
  bench.control.submissions
    .flatMap(({ containers }) => containers ?? [])
    .map(({ reason }) => reason)
    .join('')

test('a shared volume that is not autoprovisioned is not made: the task stops without it', async () => {
  const bench = await started()
  await bench.send(missing)
  expect(bench.runtime.volumes.size).toBe(0)
  expect(bench.control.told(missing.arn).at(-1)).toMatch(/^STOPPED.*loader STOPPED/)
  expect(reasons(bench)).toBe(
    "ResourceInitializationError: initialize volume: volume detection failed, volume 'data' does not exist and autoprovision is set to false",
  )
})

test('a shared volume that is there is mounted under its own name', async () => {
  const bench = await started()
  await bench.runtime.createVolume({ name: 'data' })
  await bench.send(missing)
  expect(bench.control.told(missing.arn)).toEqual(['RUNNING | web RUNNING | loader RUNNING'])
})

test('an autoprovisioned volume keeps its name', async () => {
  const bench = await started()
  await bench.send(taskWith({ scope: 'shared', autoprovision: true, driver: 'local' }))
  expect([...bench.runtime.volumes.keys()]).toEqual(['data'])
})

test('a driver that refuses stops the task: CannotCreateVolumeError', async () => {
  const fault: NonNullable<FakeHostOptions['runtime']>['fault'] = (call) => {
    if (call === 'createVolume') throw new RuntimeError('refused', 'no such driver')
    return undefined
  }
  const bench = await started({ fault })
  const task = taskWith({ scope: 'task', autoprovision: false, driver: 'nobody' })
  await bench.send(task)
  expect(bench.control.told(task.arn).at(-1)).toMatch(/^STOPPED/)
  expect(reasons(bench)).toBe('CannotCreateVolumeError: no such driver')
})
