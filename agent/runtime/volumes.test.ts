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

test('a shared volume that is there is taken as it is, whoever made it', async () => {
  const bench = await started()
  await bench.runtime.createVolume({ name: 'data', driver: 'other' })
  const task = taskWith({ scope: 'shared', autoprovision: true, driver: 'local' })
  await bench.send(task)
  expect(bench.control.told(task.arn)).toEqual(['RUNNING | web RUNNING | loader RUNNING'])
  expect(bench.runtime.volumes.get('data')).toMatchObject({ driver: 'other' })
})

const efsTask = (fileSystemId: string) =>
  fakeTask('aaaa', [fakeContainer('web', { mountPoints })], {
    volumes: [{ name: 'data', type: 'efs', efsVolumeConfiguration: { fileSystemId, rootDirectory: '/a' } }],
  })
const efsServers = { byId: { 'fs-1': '10.0.0.5:/export' }, amazon: false }

test('an EFS volume is one of Docker that mounts from the server, and goes with the task', async () => {
  const bench = new FakeHost(new SimulatedClock(1_000_000), {
    config: { efsServers, taskCleanupWaitMs: 60_000 },
  })
  await bench.start()
  const task = efsTask('fs-1')
  await bench.send(task)
  expect([...bench.runtime.volumes.values()]).toMatchObject([
    { driver: 'local', driverOpts: { type: 'nfs', device: ':/export/a' } },
  ])
  await bench.send({ arn: task.arn, desiredStatus: 'STOPPED' })
  await bench.run(120_000)
  expect(bench.runtime.volumes.size).toBe(0)
})

test('an EFS volume that nobody has stops the task', async () => {
  const bench = new FakeHost(new SimulatedClock(1_000_000), { config: { efsServers } })
  await bench.start()
  await bench.send(efsTask('fs-2'))
  expect(reasons(bench)).toMatch(
    /^ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: Failed to resolve "fs-2/,
  )
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
