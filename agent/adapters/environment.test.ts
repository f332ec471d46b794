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

test.each([
  [{ ECS_RESERVED_PORTS: 'x' }, /ECS_RESERVED_PORTS must be JSON/],
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
