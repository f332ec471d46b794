import { expect, test } from 'vitest'
import { conditionHolds, matches, readCondition } from './policy-conditions.ts'

const context = {
  'aws:username': 'ann',
  'aws:sourceip': '10.1.2.3',
  'aws:tagkeys': ['stage', 'team'],
  'ecs:task-cpu': '512',
  'aws:currenttime': '2026-05-01T00:00:00Z',
  star: '*',
}
test.each([
  ['StringEquals', 'aws:username', ['ann'], true],
  ['StringEquals', 'aws:username', ['Ann'], false],
  ['StringEqualsIgnoreCase', 'AWS:UserName', ['ANN'], true],
  ['StringEquals', 'aws:none', ['x'], false],
  ['StringEqualsIfExists', 'aws:none', ['x'], true],
  ['StringNotEquals', 'aws:none', ['x'], true],
  ['StringNotEquals', 'aws:username', ['bob', 'ann'], false],
  ['StringLike', 'aws:username', ['a?n'], true],
  ['StringEquals', 'star', ['${*}'], true],
  ['StringLike', 'aws:username', ['${*}'], false],
  ['StringEquals', 'aws:username', ['${aws:username}'], true],
  ['StringEquals', 'aws:username', ["${aws:none, 'ann'}"], true],
  ['StringEquals', 'aws:username', ['${aws:none}'], false],
  ['ForAllValues:StringEquals', 'aws:TagKeys', ['stage', 'team', 'other'], true],
  ['ForAllValues:StringEquals', 'aws:TagKeys', ['stage'], false],
  ['ForAllValues:StringEquals', 'aws:none', ['stage'], true],
  ['ForAnyValue:StringEquals', 'aws:TagKeys', ['stage'], true],
  ['ForAnyValue:StringEquals', 'aws:none', ['stage'], false],
  ['NumericLessThanEquals', 'ecs:task-cpu', ['512'], true],
  ['NumericLessThan', 'ecs:task-cpu', ['512'], false],
  ['DateGreaterThan', 'aws:CurrentTime', ['2026-04-30T23:59:59Z'], true],
  ['DateLessThan', 'aws:CurrentTime', ['1700000000'], false],
  ['IpAddress', 'aws:SourceIp', ['10.1.0.0/16'], true],
  ['IpAddress', 'aws:SourceIp', ['10.1.2.4', '::/0'], false],
  ['NotIpAddress', 'aws:SourceIp', ['10.0.0.0/8'], false],
  ['Null', 'aws:none', ['true'], true],
  ['Null', 'aws:username', ['true'], false],
])('%s of %s and %j: %s', (operator, key, values, holds) => {
  const condition = readCondition(operator, key, values)
  if (!condition) throw new Error('no such operator')
  expect(conditionHolds(condition, context, true)).toBe(holds)
})

test.each(['Is', 'StringEqualsSometimes', 'ForSomeValues:StringEquals', 'NullIfExists'])(
  'there is no %s',
  (operator) => {
    expect(readCondition(operator, 'a', ['b'])).toBeUndefined()
  },
)

test('a pattern of many stars takes no longer than its length', () => {
  expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false)
  expect(matches('arn:aws:ecs:*:*:task/*', 'arn:aws:ecs:us-east-1:1:task/c/1')).toBe(true)
})
