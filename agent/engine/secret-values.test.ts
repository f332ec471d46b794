import type { PayloadContainer, PayloadSecret } from '@berth/agent-protocol/payload.ts'
import { describe, expect, test } from 'vitest'
import {
  goText,
  neededSecrets,
  secretContributions,
  secretKey,
  secretReference,
  secretValue,
} from './secret-values.ts'
import type { TaskRecord } from './task-record.ts'

const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf'

test.each([
  [arn, { secretId: arn }],
  [`${arn}:user::`, { secretId: arn, jsonKey: 'user' }],
  [`${arn}::AWSPREVIOUS:`, { secretId: arn, versionStage: 'AWSPREVIOUS' }],
  [`${arn}:::0123`, { secretId: arn, versionId: '0123' }],
  [
    `${arn}:user:AWSPENDING:0123`,
    { secretId: arn, jsonKey: 'user', versionStage: 'AWSPENDING', versionId: '0123' },
  ],
  [`${arn}:::`, { secretId: arn }],
])('reads %s', (valueFrom, expected) => {
  expect(secretReference(valueFrom)).toEqual(expected)
})

test.each([
  [
    `${arn}:user`,
    `trying to retrieve secret with value ${arn}:user resulted in error: an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.`,
  ],
  ['db', 'trying to retrieve secret with value db resulted in error: arn: invalid prefix'],
  ['arn:aws:a', 'trying to retrieve secret with value arn:aws:a resulted in error: arn: not enough sections'],
])('does not read %s', (valueFrom, message) => {
  expect(() => secretReference(valueFrom)).toThrow(message)
})

test.each([
  ['text', 'text'],
  [5, '5'],
  [5432, '5432'],
  [0.5, '0.5'],
  [100_000, '100000'],
  [1_000_000, '1e+06'],
  [123_456_789, '1.23456789e+08'],
  [0.00001, '1e-05'],
  [-0, '-0'],
  [true, 'true'],
  [false, 'false'],
  [null, '<nil>'],
  [[1, 'a', true], '[1 a true]'],
  [{ b: 1, a: [2] }, 'map[a:[2] b:1]'],
])('writes %j as Go does: %s', (value, text) => {
  expect(goText(value)).toBe(text)
})

describe('the value of a secret', () => {
  test.each([
    ['{"u":"a","p":5}', undefined, '{"u":"a","p":5}'],
    ['{"u":"a","p":5}', 'p', '5'],
    ['{"u":"a","p":5}', 'u', 'a'],
    ['plain', undefined, 'plain'],
  ])('%s by the key %s is %s', (text, jsonKey, value) => {
    expect(secretValue({ secretId: arn, ...(jsonKey !== undefined && { jsonKey }) }, text)).toBe(value)
  })

  test.each([
    ['{"u":"a"}', 'x', 'retrieved secret from Secrets Manager did not contain json key x'],
    ['null', 'x', 'retrieved secret from Secrets Manager did not contain json key x'],
    ['{"u":"a"}', 'toString', 'retrieved secret from Secrets Manager did not contain json key toString'],
    ['plain', 'x', "invalid character 'p' looking for beginning of value"],
    ['{"u":', 'x', 'unexpected end of JSON input'],
    ['["a"]', 'x', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['true', 'x', 'json: cannot unmarshal bool into Go value of type map[string]interface {}'],
    [undefined, undefined, 'the secret is binary, and only text can be given to a container'],
  ])('%s has none by the key %s', (text, jsonKey, message) => {
    expect(() => secretValue({ secretId: arn, ...(jsonKey !== undefined && { jsonKey }) }, text)).toThrow(
      message,
    )
  })
})

const secret = (name: string, more: Partial<PayloadSecret> = {}): PayloadSecret => ({
  name,
  valueFrom: '/a',
  region: 'us-east-1',
  provider: 'ssm',
  type: 'ENVIRONMENT_VARIABLE',
  ...more,
})
const container = (name: string, more: Partial<PayloadContainer>): PayloadContainer =>
  ({ name, dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' }, ...more }) as PayloadContainer
const recordOf = (...containers: readonly PayloadContainer[]): TaskRecord =>
  ({ task: { arn: 'arn:task', containers } }) as unknown as TaskRecord

test('what several containers name is needed once, and what is in two regions twice', () => {
  const record = recordOf(
    container('one', { secrets: [secret('A'), secret('B'), secret('C', { region: 'eu-west-1' })] }),
    container('two', { secrets: [secret('A')] }),
  )
  expect(neededSecrets(record).map(secretKey)).toEqual(['ssm us-east-1 /a', 'ssm eu-west-1 /a'])
})

test('values become variables of the containers that name them, and options of their log drivers', () => {
  const record = recordOf(
    container('one', { secrets: [secret('A'), secret('splunk-token', { target: 'LOG_DRIVER' })] }),
    container('two', { secrets: [secret('B', { target: 'CONTAINER' })] }),
    container('three', {}),
  )
  expect(secretContributions(record, new Map([['ssm us-east-1 /a', 'value']]))).toEqual({
    one: { environmentOver: { A: 'value' }, logOptions: { 'splunk-token': 'value' } },
    two: { environmentOver: { B: 'value' } },
    three: {},
  })
})

test('options of a log that FireLens routes become variables of the router', () => {
  const routed = { config: '{}', hostConfig: '{"LogConfig":{"Type":"awsfirelens"}}', version: '1.18' }
  const record = recordOf(
    container('router', { firelensConfiguration: { type: 'fluentbit' }, secrets: [secret('R')] }),
    container('app', { dockerConfig: routed, secrets: [secret('apikey', { target: 'LOG_DRIVER' })] }),
  )
  expect(secretContributions(record, new Map([['ssm us-east-1 /a', 'value']]))).toEqual({
    router: { environmentOver: { R: 'value', apikey_1: 'value' } },
    app: {},
  })
})
