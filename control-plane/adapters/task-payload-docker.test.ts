import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { dockerConfig } from './task-payload-docker.ts'

const facts = {
  region: 'eu-west-1',
  taskId: '0123456789abcdef',
  logsUrl: 'http://127.0.0.1:4566',
  logDriverMode: 'blocking',
}
const dockerOf = (container: ContainerDefinition, networkMode?: string) => {
  const made = dockerConfig({ name: 'web', memory: 128, ...container }, networkMode, facts)
  return {
    config: JSON.parse(made.config) as unknown,
    hostConfig: JSON.parse(made.hostConfig) as unknown,
    version: made.version,
  }
}

const mebibyte = 1024 * 1024
/** Section 5.3, row by row: what a container definition says, and where Docker finds it. */
test.each<[string, ContainerDefinition, object, object, string]>([
  [
    'logs',
    { logConfiguration: { logDriver: 'json-file', options: { 'max-size': '10m' } } },
    {},
    { LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } } },
    '1.18',
  ],
  [
    'the stream of awslogs',
    {
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': 'g', 'awslogs-stream-prefix': 'p' },
      },
    },
    {},
    {
      LogConfig: {
        Type: 'awslogs',
        Config: {
          'awslogs-group': 'g',
          'awslogs-endpoint': 'http://127.0.0.1:4566',
          'awslogs-region': 'eu-west-1',
          'awslogs-stream': 'p/web/0123456789abcdef',
        },
      },
    },
    '1.18',
  ],
  ['the reservation in bytes', { memoryReservation: 64 }, {}, { MemoryReservation: 64 * mebibyte }, '1.21'],
  [
    'privileges',
    { privileged: true, readonlyRootFilesystem: true },
    {},
    { Privileged: true, ReadonlyRootfs: true },
    '1.17',
  ],
  [
    'capabilities and devices',
    {
      linuxParameters: {
        capabilities: { add: ['NET_ADMIN'], drop: ['MKNOD'] },
        devices: [
          { hostPath: '/dev/fuse' },
          { hostPath: '/dev/a', containerPath: '/dev/b', permissions: ['read', 'write'] },
        ],
      },
    },
    {},
    {
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['MKNOD'],
      Devices: [
        { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' },
        { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' },
      ],
    },
    '1.17',
  ],
  [
    'memory file systems',
    {
      linuxParameters: {
        tmpfs: [{ containerPath: '/run', size: 64, mountOptions: ['noexec'] }],
        sharedMemorySize: 32,
      },
    },
    {},
    { Tmpfs: { '/run': 'size=64m,noexec' }, ShmSize: 32 * mebibyte },
    '1.22',
  ],
  [
    'swap, which Docker counts with memory',
    { linuxParameters: { maxSwap: 64, swappiness: 10 } },
    {},
    { MemorySwap: 192 * mebibyte, MemorySwappiness: 10 },
    '1.20',
  ],
  [
    'swap on top of the least memory that Docker takes',
    { memory: 4, linuxParameters: { maxSwap: 1 } },
    {},
    { MemorySwap: 7 * mebibyte },
    '1.18',
  ],
  ['swappiness without swap, which means nothing', { linuxParameters: { swappiness: 10 } }, {}, {}, '1.17'],
  ['an init', { linuxParameters: { initProcessEnabled: true } }, {}, { Init: true }, '1.25'],
  [
    'limits',
    { ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 2048 }] },
    {},
    { Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }] },
    '1.18',
  ],
  [
    'names',
    {
      extraHosts: [{ hostname: 'db', ipAddress: '10.0.0.9' }],
      dnsServers: ['10.0.0.2'],
      dnsSearchDomains: ['corp'],
    },
    {},
    { ExtraHosts: ['db:10.0.0.9'], Dns: ['10.0.0.2'], DnsSearch: ['corp'] },
    '1.17',
  ],
  [
    'kernel parameters',
    { systemControls: [{ namespace: 'net.core.somaxconn', value: '1024' }] },
    {},
    { Sysctls: { 'net.core.somaxconn': '1024' } },
    '1.24',
  ],
  [
    'security options',
    { dockerSecurityOptions: ['no-new-privileges', 'label:type:svirt_apache_t', 'apparmor:mine', 'a:b'] },
    {},
    { SecurityOpt: ['no-new-privileges', 'label=type:svirt_apache_t', 'apparmor=mine', 'a:b'] },
    '1.17',
  ],
  ['no swap at all', { linuxParameters: { maxSwap: 0 } }, {}, { MemorySwap: 128 * mebibyte }, '1.18'],
  [
    'the check of an image switched off',
    { healthCheck: { command: ['NONE'] } },
    {
      Healthcheck: { Test: ['NONE'], Interval: 30_000_000_000, Timeout: 5_000_000_000, Retries: 3 },
    },
    {},
    '1.24',
  ],
  [
    'the process and its terminal',
    {
      user: '1000:1000',
      workingDirectory: '/srv',
      hostname: 'web-1',
      pseudoTerminal: true,
      interactive: true,
      dockerLabels: { a: 'b' },
      disableNetworking: true,
    },
    {
      User: '1000:1000',
      WorkingDir: '/srv',
      Hostname: 'web-1',
      Tty: true,
      OpenStdin: true,
      Labels: { a: 'b' },
      NetworkDisabled: true,
    },
    {},
    '1.17',
  ],
  [
    'a health check in nanoseconds',
    { healthCheck: { command: ['CMD-SHELL', 'true'], interval: 10, timeout: 2, retries: 4 } },
    {
      Healthcheck: {
        Test: ['CMD-SHELL', 'true'],
        Interval: 10_000_000_000,
        Timeout: 2_000_000_000,
        Retries: 4,
      },
    },
    {},
    '1.24',
  ],
  [
    'a health check with a start period',
    { healthCheck: { command: ['CMD', 'true'], startPeriod: 5 } },
    {
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 30_000_000_000,
        Timeout: 5_000_000_000,
        Retries: 3,
        StartPeriod: 5_000_000_000,
      },
    },
    {},
    '1.29',
  ],
])('%s', (_, container, config, hostConfig, version) => {
  expect(dockerOf(container)).toEqual({
    config,
    hostConfig: { NetworkMode: 'bridge', ...hostConfig },
    version,
  })
})

test('the lowest version that knows all of them', () => {
  expect(dockerOf({ memoryReservation: 1, linuxParameters: { initProcessEnabled: false } }).version).toBe(
    '1.25',
  )
})

test.each([
  ['host', { NetworkMode: 'host' }],
  ['none', { NetworkMode: 'none' }],
  ['awsvpc', {}],
] as const)('network mode %s', (networkMode, hostConfig) => {
  expect(dockerOf({}, networkMode).hostConfig).toEqual(hostConfig)
})
