import type { PutRuleRequest } from '@aws-sdk/client-eventbridge'
import { expect, test } from 'vitest'
import { refusal, ruleTarget } from '#api/schedule-testing.ts'
import { testContext } from '#api/testing.ts'
import { deleteRule, describeRule, disableRule, enableRule, listRules, putRule } from './rule.ts'
import { listTagsForResource, tagResource, untagResource } from './tag.ts'
import { putTargets, removeTargets } from './target.ts'

const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/hourly'
const hourly: PutRuleRequest = { Name: 'hourly', ScheduleExpression: 'rate(1 hour)' }
const minuteMs = 60_000

test('a rule is put, described and listed as AWS shows it', async () => {
  const context = await testContext()
  const input = { ...hourly, Description: 'each hour', RoleArn: 'arn:aws:iam::000000000000:role/r' }
  expect(putRule.run(context, input)).toEqual({ RuleArn: ruleArn })
  const shown = {
    Name: 'hourly',
    Arn: ruleArn,
    State: 'ENABLED',
    ScheduleExpression: 'rate(1 hour)',
    EventBusName: 'default',
    Description: 'each hour',
    RoleArn: 'arn:aws:iam::000000000000:role/r',
  }
  expect(describeRule.run(context, { Name: 'hourly' })).toEqual({ ...shown, CreatedBy: '000000000000' })
  expect(listRules.run(context, {})).toEqual({ Rules: [shown] })
  expect(listRules.run(context, { NamePrefix: 'd' })).toEqual({ Rules: [] })
})

test('putting a rule again replaces all but its tags and its count', async () => {
  const context = await testContext()
  putRule.run(context, { ...hourly, Description: 'old', Tags: [{ Key: 'a', Value: '1' }] })
  const [before] = context.store.list('rule')
  context.clock.advance(10 * minuteMs)
  putRule.run(context, { ...hourly, Tags: [{ Key: 'b', Value: '2' }] })
  const [after] = context.store.list('rule')
  expect(after?.description).toBeUndefined()
  expect(after?.next).toEqual(before?.next)
  expect(listTagsForResource.run(context, { ResourceARN: ruleArn })).toEqual({
    Tags: [{ Key: 'a', Value: '1' }],
  })
  putRule.run(context, { ...hourly, ScheduleExpression: 'rate(2 hours)' })
  expect(context.store.list('rule')[0]?.next?.time).toBe(context.clock.now() + 120 * minuteMs)
})

test('a disabled rule waits for nothing; an enabled one for its next time, not for those it missed', async () => {
  const context = await testContext()
  putRule.run(context, { Name: 'noon', ScheduleExpression: 'cron(0 12 * * ? *)', State: 'DISABLED' })
  const next = () => context.store.list('rule')[0]?.next?.time
  expect(next()).toBeUndefined()
  context.clock.advance(13 * 60 * minuteMs)
  enableRule.run(context, { Name: 'noon' })
  expect(next()).toBe(Date.UTC(2026, 0, 2, 12))
  enableRule.run(context, { Name: 'noon' })
  expect(next()).toBe(Date.UTC(2026, 0, 2, 12))
  disableRule.run(context, { Name: 'noon' })
  expect(next()).toBeUndefined()
  expect(describeRule.run(context, { Name: 'noon' })).toMatchObject({ State: 'DISABLED' })
})

test('a rule with targets is not deleted; one that is not there is, without a word', async () => {
  const context = await testContext()
  putRule.run(context, { ...hourly, Tags: [{ Key: 'a', Value: '1' }] })
  putTargets.run(context, { Rule: 'hourly', Targets: [ruleTarget()] })
  expect(refusal(() => deleteRule.run(context, { Name: 'hourly' }))).toBe(
    "ValidationException: Rule can't be deleted since it has targets.",
  )
  removeTargets.run(context, { Rule: 'hourly', Ids: ['t1'] })
  expect(deleteRule.run(context, { Name: 'hourly' })).toEqual({})
  expect(deleteRule.run(context, { Name: 'hourly' })).toEqual({})
  expect(context.store.list('rule')).toEqual([])
  expect(context.store.list('resourceTags')).toEqual([])
})

const gone = 'ResourceNotFoundException: Rule nope does not exist on EventBus default.'
test('what is not there is said not to be', async () => {
  const context = await testContext()
  expect(refusal(() => describeRule.run(context, { Name: 'nope' }))).toBe(gone)
  expect(refusal(() => enableRule.run(context, { Name: 'nope' }))).toBe(gone)
  expect(refusal(() => disableRule.run(context, { Name: 'nope' }))).toBe(gone)
  const ResourceARN = ruleArn.replace('hourly', 'nope')
  expect(refusal(() => tagResource.run(context, { ResourceARN, Tags: [] }))).toBe(gone)
  expect(refusal(() => listRules.run(context, { EventBusName: 'other' }))).toBe(
    'ResourceNotFoundException: Event bus other does not exist.',
  )
})

const notValid = 'ValidationException: Parameter ScheduleExpression is not valid.'
test.each<readonly [string, Partial<PutRuleRequest>, string]>([
  ['rate(1 hours)', { ScheduleExpression: 'rate(1 hours)' }, notValid],
  ['seven fields', { ScheduleExpression: 'cron(0 12 * * * * *)' }, notValid],
  ['both days', { ScheduleExpression: 'cron(7 20 * * 1-7 *)' }, notValid],
  ['at', { ScheduleExpression: 'at(2027-01-01T00:00:00)' }, notValid],
  [
    'neither expression nor pattern',
    { ScheduleExpression: undefined },
    'ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified.',
  ],
  [
    'another bus',
    { EventBusName: 'other' },
    'ValidationException: ScheduleExpression is supported only on the default event bus.',
  ],
  [
    'a pattern',
    { ScheduleExpression: undefined, EventPattern: '{"source":["a"]}' },
    'UnsupportedFeatureException: Berth does not support rules with an event pattern yet. Give the rule a ScheduleExpression only.',
  ],
  [
    'a name',
    { Name: 'bad name!' },
    "ValidationException: 1 validation error detected: Value 'bad name!' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
  ],
  [
    'a name and a state',
    { Name: 'a'.repeat(65), State: 'ON' as 'ENABLED' },
    `ValidationException: 2 validation errors detected: Value '${'a'.repeat(65)}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 64; Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]`,
  ],
])('PutRule refuses %s and changes nothing', async (_, more, expected) => {
  const context = await testContext()
  expect(refusal(() => putRule.run(context, { ...hourly, ...more }))).toBe(expected)
  expect(context.store.list('rule')).toEqual([])
})

test('the default bus may be named, also by its ARN', async () => {
  const context = await testContext()
  const EventBusName = 'arn:aws:events:us-east-1:000000000000:event-bus/default'
  expect(putRule.run(context, { ...hourly, EventBusName })).toEqual({ RuleArn: ruleArn })
  expect(describeRule.run(context, { Name: 'hourly', EventBusName: 'default' })).toMatchObject({
    Name: 'hourly',
  })
})

test('a rule of cron(15 10 ? * 6L 2030) waits for the last Friday', async () => {
  const context = await testContext()
  putRule.run(context, { Name: 'friday', ScheduleExpression: 'cron(15 10 ? * 6L 2030)' })
  expect(new Date(context.store.list('rule')[0]?.next?.time ?? 0).toISOString()).toBe(
    '2030-01-25T10:15:00.000Z',
  )
})

test('lists come in pages', async () => {
  const context = await testContext()
  for (const name of ['c', 'a', 'd', 'b']) putRule.run(context, { ...hourly, Name: name })
  const first = listRules.run(context, { Limit: 3 })
  expect(first.Rules?.map(({ Name }) => Name)).toEqual(['a', 'b', 'c'])
  const second = listRules.run(context, { Limit: 3, NextToken: first.NextToken })
  expect(second.Rules?.map(({ Name }) => Name)).toEqual(['d'])
  expect(second.NextToken).toBeUndefined()
  expect(refusal(() => listRules.run(context, { NextToken: 'made up' }))).toBe(
    'ValidationException: Parameter NextToken is not valid.',
  )
})

test('tags are added, replaced and taken away', async () => {
  const context = await testContext()
  putRule.run(context, hourly)
  const tags = () => listTagsForResource.run(context, { ResourceARN: ruleArn }).Tags
  tagResource.run(context, { ResourceARN: ruleArn, Tags: [{ Key: 'a', Value: '1' }] })
  const more = [
    { Key: 'a', Value: '2' },
    { Key: 'b', Value: '' },
  ]
  tagResource.run(context, { ResourceARN: ruleArn, Tags: more })
  expect(tags()).toEqual(more)
  untagResource.run(context, { ResourceARN: ruleArn, TagKeys: ['a', 'c'] })
  expect(tags()).toEqual([{ Key: 'b', Value: '' }])
})
