import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { agentConfig, withConfigFile } from './environment.ts'

test('reads the official variables', () => {
  const config = agentConfig(
    {
      ECS_CLUSTER: 'proof',
      ECS_RESERVED_PORTS: '[22,9000]',
      ECS_RESERVED_MEMORY: '256',
      ECS_INSTANCE_ATTRIBUTES: '{"stack":"prod"}',
      ECS_CONTAINER_STOP_TIMEOUT: '1m30s',
      ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION: '10ms',
      ECS_DYNAMIC_HOST_PORT_RANGE: '40000-40010',
      ECS_AVAILABLE_LOGGING_DRIVERS: '["json-file"]',
      ECS_IMAGE_PULL_BEHAVIOR: 'prefer-cached',
      ECS_DISABLE_IMAGE_CLEANUP: 'true',
    },
    'eu-west-1',
  )
  expect(config).toMatchObject({
    cluster: 'proof',
    region: 'eu-west-1',
    reservedPorts: [22, 9000],
    reservedMemoryMiB: 256,
    instanceAttributes: { stack: 'prod' },
    containerStopTimeoutMs: 90_000,
    taskCleanupWaitMs: 1000,
    dynamicHostPortRange: [40000, 40010],
    loggingDrivers: ['json-file'],
    imagePullBehavior: 'prefer-cached',
  })
  expect(config).not.toHaveProperty('imageCleanup')
})

test('reads what concerns the containers of tasks', () => {
  const config = agentConfig(
    {
      ECS_TASK_PIDS_LIMIT: '200',
      ECS_DISABLE_PRIVILEGED: 'true',
      ECS_ENABLE_TASK_CPU_MEM_LIMIT: 'false',
      BERTH_EFS_SERVERS: 'fs-1=10.0.0.5:/export',
    },
    'eu-west-1',
  )
  expect(config).toMatchObject({
    taskPidsMax: 200,
    privileged: false,
    taskCpuMemoryLimit: false,
    efsServers: { byId: { 'fs-1': '10.0.0.5:/export' }, amazon: false },
  })
  expect(agentConfig({}, 'eu-west-1')).toMatchObject({ privileged: true, taskCpuMemoryLimit: true })
})

test('reads what concerns images and metrics', () => {
  const config = agentConfig(
    {
      ECS_IMAGE_PULL_TIMEOUT: '1h',
      ECS_IMAGE_PULL_INACTIVITY_TIMEOUT: '2m',
      BERTH_IMAGE_PULLS_AT_ONCE: '9',
      BERTH_CONTAINER_STOPS_AT_ONCE: '3',
      ECS_IMAGE_CLEANUP_INTERVAL: '15m',
      ECS_IMAGE_MINIMUM_CLEANUP_AGE: '2h',
      ECS_NUM_IMAGES_DELETE_PER_CYCLE: '7',
      BERTH_IMAGE_CLEANUP_DISK_PERCENT: '70',
      ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP: 'true',
      NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE: '3h',
      ECS_EXCLUDE_UNTRACKED_IMAGE: 'alpine:latest, web:1',
      ECS_POLLING_METRICS_WAIT_DURATION: '1m',
    },
    'eu-west-1',
  )
  expect(config).toMatchObject({
    imagePullTimeoutMs: 3_600_000,
    imagePullInactivityMs: 120_000,
    imagePullsAtOnceMax: 9,
    containerStopsAtOnceMax: 3,
    imageCleanup: {
      intervalMs: 900_000,
      minimumAgeMs: 7_200_000,
      imagesPerCycle: 7,
      diskUsedPercentMax: 70,
      untracked: { minimumAgeMs: 10_800_000, excluded: ['alpine:latest', 'web:1'] },
    },
    metricsPollMs: 20_000,
  })
})

test.each([
  [{ BERTH_IMAGE_PULLS_AT_ONCE: '0' }, /BERTH_IMAGE_PULLS_AT_ONCE must be at least 1/],
  [{ ECS_RESERVED_PORTS: 'x' }, /ECS_RESERVED_PORTS must be JSON/],
  [{ BERTH_EFS_SERVERS: 'nas' }, /BERTH_EFS_SERVERS must be like fs-1=10\.0\.0\.5:\/export.*, not nas/],
  [{ ECS_CONTAINER_STOP_TIMEOUT: '30' }, /duration/],
  [{ ECS_IMAGE_PULL_BEHAVIOR: 'never' }, /default, always, once or prefer-cached/],
  [{ ECS_DYNAMIC_HOST_PORT_RANGE: '9-1' }, /range/],
])('refuses %j and says why', (environment, message) => {
  expect(() => agentConfig(environment, 'eu-west-1')).toThrow(message)
})

test('a file of variables stands under the environment', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-config-'))
  const path = join(directory, 'ecs.config')
  writeFileSync(
    path,
    '# comment\nECS_CLUSTER=file\nexport ECS_RESERVED_MEMORY="64"\nECS_INSTANCE_ATTRIBUTES={"a":"b"}\n',
  )
  const environment = withConfigFile({ ECS_CONFIG_FILE: path, ECS_CLUSTER: 'environment' })
  rmSync(directory, { recursive: true })
  expect(environment).toMatchObject({
    ECS_CLUSTER: 'environment',
    ECS_RESERVED_MEMORY: '64',
    ECS_INSTANCE_ATTRIBUTES: '{"a":"b"}',
  })
})
