import { expect, test } from 'vitest'
import { logConfig, logsAuthStrategy } from './task-payload-logs.ts'

const facts = {
  region: 'eu-west-1',
  taskId: '0123456789abcdef',
  logsUrl: 'http://169.254.0.1:4566',
  logDriverMode: 'non-blocking',
}
const group = { 'awslogs-group': 'g', 'awslogs-region': 'eu-west-1' }
const endpoint = { 'awslogs-endpoint': 'http://169.254.0.1:4566' }
const buffered = { mode: 'non-blocking', 'max-buffer-size': '10m' }
const many = { 'awslogs-max-buffered-events': '100000' }

test.each([
  [
    'a stream',
    { ...group, 'awslogs-stream-prefix': 'p' },
    'non-blocking',
    {
      ...group,
      ...endpoint,
      ...buffered,
      ...many,
      'awslogs-stream': 'p/web/0123456789abcdef',
    },
  ],
  [
    'no stream without a prefix: Docker calls it by the container',
    group,
    'non-blocking',
    {
      ...group,
      ...endpoint,
      ...buffered,
      ...many,
    },
  ],
  [
    'an endpoint of its own',
    { ...group, 'awslogs-endpoint': 'http://other' },
    'blocking',
    {
      ...group,
      'awslogs-endpoint': 'http://other',
    },
  ],
  [
    'a mode of its own',
    { ...group, mode: 'blocking' },
    'non-blocking',
    {
      ...group,
      ...endpoint,
      mode: 'blocking',
    },
  ],
  [
    'a buffer of its own',
    { ...group, mode: 'non-blocking', 'max-buffer-size': '1m' },
    'blocking',
    {
      ...group,
      ...endpoint,
      ...many,
      mode: 'non-blocking',
      'max-buffer-size': '1m',
    },
  ],
  [
    'everything else as it is',
    { ...group, 'awslogs-create-group': 'true', 'awslogs-datetime-format': '%Y', tag: 't' },
    'blocking',
    {
      ...group,
      ...endpoint,
      'awslogs-create-group': 'true',
      'awslogs-datetime-format': '%Y',
      tag: 't',
    },
  ],
])('awslogs has %s', (_, options, logDriverMode, Config) => {
  const made = logConfig(
    { name: 'web', logConfiguration: { logDriver: 'awslogs', options } },
    { ...facts, logDriverMode },
  )
  expect(made).toEqual({ Type: 'awslogs', Config })
})

test('drivers that send nothing are left as they are', () => {
  const options = { 'max-size': '1m' }
  expect(logConfig({ logConfiguration: { logDriver: 'json-file', options } }, facts)?.Config).toEqual(options)
  expect(logConfig({ logConfiguration: { logDriver: 'splunk' } }, facts)?.Config).toEqual(buffered)
  expect(logConfig({}, facts)).toBeUndefined()
})

test('the execution role signs where there is one', () => {
  const awslogs = { logConfiguration: { logDriver: 'awslogs' as const } }
  expect(logsAuthStrategy(awslogs, 'arn')).toBe('ExecutionRole')
  expect(logsAuthStrategy(awslogs, undefined)).toBeUndefined()
  expect(logsAuthStrategy({ logConfiguration: { logDriver: 'json-file' } }, 'arn')).toBeUndefined()
})
