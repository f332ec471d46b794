import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/payload.ts'
import { expect, test } from 'vitest'
import { routedLogConfig, routerConfiguration } from './firelens.ts'

const container = (name: string, more: Partial<PayloadContainer> = {}): PayloadContainer => ({
  name,
  image: 'busybox',
  essential: true,
  cpu: 0,
  memory: 0,
  environment: {},
  portMappings: [],
  volumesFrom: [],
  mountPoints: [],
  overrides: '{}',
  dockerConfig: { config: '{}', hostConfig: '{}', version: '1.18' },
  ...more,
})

const routed = (options: Readonly<Record<string, string>>): Partial<PayloadContainer> => ({
  dockerConfig: {
    config: '{}',
    hostConfig: JSON.stringify({ LogConfig: { Type: 'awsfirelens', Config: options } }),
    version: '1.18',
  },
})

const task = (router: PayloadContainer['firelensConfiguration']): PayloadTask => ({
  arn: 'arn:aws:ecs:us-east-1:000000000000:task/demo/abc',
  desiredStatus: 'RUNNING',
  family: 'web',
  version: '3',
  containers: [
    container('router', { ...(router && { firelensConfiguration: router }) }),
    container('web', {
      ...routed({ Name: 'http', Host: 'logs.example', 'log-driver-buffer-limit': '1048576' }),
      secrets: [
        {
          name: 'Header',
          valueFrom: 'token',
          region: 'us-east-1',
          provider: 'ssm',
          type: 'ENVIRONMENT_VARIABLE',
          target: 'LOG_DRIVER',
        },
      ],
    }),
    container('plain'),
  ],
})
const facts = { cluster: 'demo', instanceId: 'i-1', bridged: true }

test('tells Fluent Bit where logs come from, what to add to them and where they go', () => {
  const text = routerConfiguration(task({ type: 'fluentbit' }), { ...facts, type: 'fluentbit' })
  expect(text.split('\n').map((line) => line.trim())).toEqual(
    expect.arrayContaining([
      'unix_path /var/run/fluent.sock',
      'Listen 0.0.0.0',
      'Record ec2_instance_id i-1',
      'Record ecs_cluster demo',
      'Record ecs_task_definition web:3',
      'Match web-firelens*',
      'Host logs.example',
      'Header ${Header_1}',
    ]),
  )
  expect(text).not.toMatch(/log-driver-buffer-limit|plain|@INCLUDE/)
  expect(text.indexOf('Name http')).toBeLessThan(text.indexOf('Match web-firelens*'))
})

test('tells Fluentd the same in its own words', () => {
  const text = routerConfiguration(task({ type: 'fluentd' }), {
    ...facts,
    type: 'fluentd',
    bridged: false,
    include: '/extra.conf',
  })
  expect(text.split('\n').map((line) => line.trim())).toEqual(
    expect.arrayContaining([
      'path /var/run/fluent.sock',
      'bind 127.0.0.1',
      'ecs_task_arn arn:aws:ecs:us-east-1:000000000000:task/demo/abc',
      '<match web-firelens**>',
      '@type http',
      `Header "#{ENV['Header_1']}"`,
      '@include /extra.conf',
    ]),
  )
})

test('adds nothing to logs where that is switched off', () => {
  const off = task({ type: 'fluentbit', options: { 'enable-ecs-log-metadata': 'false' } })
  expect(routerConfiguration(off, { ...facts, type: 'fluentbit' })).not.toContain('record_modifier')
})

test('a container whose logs are routed sends them to the socket of its router', () => {
  const [, web] = task({ type: 'fluentbit' }).containers ?? []
  expect(web && routedLogConfig(web, 'abc', '/data/socket/fluent.sock')).toEqual({
    Type: 'fluentd',
    Config: {
      'fluentd-address': 'unix:///data/socket/fluent.sock',
      'fluentd-async': 'true',
      'fluentd-sub-second-precision': 'true',
      'fluentd-buffer-limit': '1048576',
      tag: 'web-firelens-abc',
    },
  })
})
