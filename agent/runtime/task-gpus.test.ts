import { expect, test } from 'vitest'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import { newTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { taskGpus } from './task-gpus.ts'

const gpu = (name: string, container: string) => ({ type: 'gpu', name, containers: [container] })
const record = (associations?: PayloadTask['associations']): TaskRecord =>
  newTaskRecord(
    fakeTask('aaaa', [fakeContainer('web'), fakeContainer('side')], {
      ...(associations && { associations }),
    }),
    idsFrom(prng(1)),
    0,
  )
const host = { gpus: ['GPU-0', 'GPU-1', 'GPU-2'], external: false, runtime: 'nvidia' }

test('each container sees the GPUs chosen for it and no others', async () => {
  const wanted = record([gpu('GPU-2', 'web'), gpu('GPU-0', 'web'), gpu('GPU-1', 'side')])
  expect(taskGpus(host).isNeeded(wanted)).toBe(true)
  expect(await taskGpus(host).provide(wanted)).toEqual({
    web: { environmentOver: { NVIDIA_VISIBLE_DEVICES: 'GPU-2,GPU-0' }, hostConfig: { Runtime: 'nvidia' } },
    side: { environmentOver: { NVIDIA_VISIBLE_DEVICES: 'GPU-1' }, hostConfig: { Runtime: 'nvidia' } },
  })
})

test('outside EC2 Docker is asked for the devices', async () => {
  expect(await taskGpus({ ...host, external: true }).provide(record([gpu('GPU-1', 'web')]))).toEqual({
    web: { hostConfig: { DeviceRequests: [{ Capabilities: [['gpu']], DeviceIDs: ['GPU-1'] }] } },
  })
})

test('a GPU that is not there is told of', async () => {
  await expect(taskGpus(host).provide(record([gpu('GPU-9', 'web')]))).rejects.toThrow(
    'GPU GPU-9 is not on this host',
  )
})

test.each([[undefined], [[{ type: 'elastic-inference', name: 'e', containers: ['web'] }]]])(
  'a task with %j needs none',
  (associations) => {
    expect(taskGpus(host).isNeeded(record(associations))).toBe(false)
  },
)
