import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { engineInfo } from './docker-shapes.ts'
import type { Environment } from './environment.ts'
import { nvidiaGpus } from './gpus.ts'
import { type EngineInfo, hostCapabilities, loggingDrivers } from './host-capabilities.ts'

const engine: EngineInfo = {
  storageDriver: 'overlay2',
  rootDirectory: '/var/lib/docker',
  cgroupDriver: 'cgroupfs',
  cgroupVersion: 1,
  logDrivers: ['awslogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'json-file', 'local', 'splunk', 'syslog'],
  volumeDrivers: ['local'],
  security: ['seccomp'],
}
const bare = { taskCgroups: false, efs: false }
const ecs = (...names: readonly string[]): string[] => names.map((name) => `ecs.capability.${name}`)
const agent = (...names: readonly string[]): string[] =>
  names.map((name) => `com.amazonaws.ecs.capability.${name}`)

test.each<
  [what: string, Partial<EngineInfo>, Environment, Partial<Parameters<typeof hostCapabilities>[2]>, string[]]
>([
  ['plain Docker', {}, {}, {}, []],
  ['cgroups of tasks', {}, {}, { taskCgroups: true }, ecs('task-cpu-mem-limit', 'increased-task-cpu-limit')],
  ['file systems', {}, {}, { efs: true }, ecs('efs', 'efsAuth')],
  [
    'volume plugins',
    { volumeDrivers: ['local', 'rexray/ebs:0.11', 'cool:latest'] },
    {},
    {},
    ecs('docker-plugin.rexray/ebs.0.11', 'docker-plugin.cool', 'docker-plugin.cool.latest'),
  ],
  ['AppArmor and SELinux', { security: ['apparmor', 'selinux'] }, {}, {}, agent('apparmor', 'selinux')],
  ['AppArmor that is not to be used', { security: ['apparmor'] }, { ECS_APPARMOR_CAPABLE: 'false' }, {}, []],
  ['SELinux that a setting tells of', {}, { ECS_SELINUX_CAPABLE: 'true' }, {}, agent('selinux')],
  [
    'GPUs',
    {},
    {},
    { gpus: { ids: ['GPU-0'], driverVersion: '535.1' } },
    ['ecs.capability.gpu-driver-version=535.1'],
  ],
])('%s', (_, more, environment, found, expected) => {
  const made = hostCapabilities({ ...engine, ...more }, environment, { ...bare, ...found })
  const shown = made.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
  expect(shown.toSorted()).toEqual([...ecs('docker-plugin.local'), ...expected].toSorted())
})

test.each<[Environment, boolean, readonly string[]]>([
  [{}, false, ['json-file', 'none', 'syslog', 'gelf', 'fluentd', 'splunk', 'awslogs']],
  [{}, true, ['json-file', 'none', 'syslog', 'gelf', 'fluentd', 'splunk', 'awslogs', 'journald']],
  [{ ECS_AVAILABLE_LOGGING_DRIVERS: '["json-file","none"]' }, true, ['json-file', 'none']],
])('log drivers with %j and a journal: %s', (environment, hasJournal, expected) => {
  expect(loggingDrivers(engine, environment, ['json-file', 'none'], hasJournal)).toEqual(expected)
})

test('what Docker says of itself is read', () => {
  expect(
    engineInfo({
      Driver: 'overlay2',
      DockerRootDir: '/var/lib/docker',
      CgroupDriver: 'systemd',
      CgroupVersion: '2',
      Plugins: { Log: ['json-file'], Volume: null },
      SecurityOptions: ['name=apparmor', 'name=seccomp,profile=default'],
    }),
  ).toEqual({
    storageDriver: 'overlay2',
    rootDirectory: '/var/lib/docker',
    cgroupDriver: 'systemd',
    cgroupVersion: 2,
    logDrivers: ['json-file'],
    volumeDrivers: [],
    security: ['apparmor', 'seccomp'],
  })
})

const directory = mkdtempSync(join(tmpdir(), 'berth-gpus-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = join(directory, 'nvidia-gpu-info.json')
const found = { ids: ['GPU-a', 'GPU-b'], driverVersion: '535.1' }
const nothing = (): Promise<string> => Promise.reject(new Error('nvidia-smi: not found'))

test("GPUs are told by nvidia's tool, and by the file of ECS-optimized images before it", async () => {
  const printed = () => Promise.resolve('GPU-a, 535.1\nGPU-b, 535.1\n')
  expect(await nvidiaGpus(printed, file)).toEqual(found)
  expect(await nvidiaGpus(nothing, file)).toBeUndefined()
  writeFileSync(file, JSON.stringify({ DriverVersion: '535.1', GPUIDs: ['GPU-a', 'GPU-b'] }))
  expect(await nvidiaGpus(nothing, file)).toEqual(found)
})
