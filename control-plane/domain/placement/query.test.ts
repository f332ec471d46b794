import { describe, expect, test } from 'vitest'
import { QueryError, matches, parseQuery } from './query.ts'
import { clusterOf, instanceRow, taskRow } from './testing.ts'

const view = clusterOf({
  name: 'a',
  versionInfo: { agentVersion: '1.9.0' },
  registeredAt: Date.parse('2018-02-12T10:00:00Z'),
  has: { 'ecs.instance-type': 't2.small', stack: 'prod', size: '9', path: 'a/b', empty: '' },
})
view.count('a', taskRow({ group: 'service:web' }), 1)
view.count('a', taskRow({ group: 'database', lastStatus: 'PENDING' }), 1)
view.count('a', taskRow({ group: 'old', desiredStatus: 'STOPPED' }), 1)
const facts = [...view.instances()].at(0)

const evaluate = (text: string): boolean => {
  if (!facts) throw new Error('there is an instance')
  return matches(parseQuery(text), facts)
}

describe('what is true of the instance', () => {
  test.each([
    '',
    'attribute:ecs.instance-type =~ t2.*',
    'attribute:ecs.instance-type in [\'t2.small\', "t2.medium"]',
    'attribute:ecs.instance-type in [t2.small,t2.medium]',
    'attribute:ecs.instance-type not_in [m5.large]',
    'attribute:ecs.instance-type !in [m5.large]',
    'attribute:stack equals prod',
    'attribute:stack==prod',
    'attribute:stack==prod&&attribute:size==9',
    'attribute:stack not_equals test',
    'attribute:stack exists',
    'attribute:empty exists',
    'attribute:zone !exists',
    'attribute:zone not_exists',
    'attribute:zone != a',
    'attribute:zone !~ a',
    'attribute:zone !in [a]',
    'not(attribute:zone exists)',
    'attribute:size < 10',
    'attribute:size >= 9',
    'attribute:path matches a/.',
    'attribute:path not_matches a',
    "attribute:stack =~ '(prod|test)'",
    'attribute:stack =~ prod|test',
    'agentConnected == true',
    'agentVersion < 1.10.0',
    'agentVersion == 1.9',
    'agentVersion greater_than 1.8.99',
    'ec2InstanceId in ["i-a", "i-b"]',
    'registeredAt < 2018-02-13',
    'registeredAt == 2018-02-12T10:00:00',
    'registeredAt == 2018-02-12T12:00:00+02:00',
    'registeredAt <= 2018-02-12T10:00:00Z',
    'runningTasksCount == 2',
    'runningTasksCount less_than_equal 2 and agentConnected == true',
    'task:group == service:web',
    'task:group == database',
    'task:group != old',
    'task:group =~ service:.*',
    'not(task:group == queue)',
    '(attribute:a == 1 or attribute:stack == prod) and !(attribute:c exists)',
    'attribute:stack == prod or attribute:a == 1 and attribute:b == 1',
    'attribute:stack exists || attribute:a == 1 && attribute:b == 1',
    '! attribute:stack == test',
  ])('%s', (text) => expect(evaluate(text)).toBe(true))
})

describe('what is not true of the instance', () => {
  test.each([
    'attribute:ecs.instance-type =~ t2',
    'attribute:zone == a',
    'attribute:zone =~ .*',
    'attribute:zone in [a]',
    'attribute:zone exists',
    'attribute:size > 10',
    'agentVersion >= 1.10.0',
    'agentConnected == false',
    'task:group == old',
    'task:group != database',
    'not(task:group == database)',
    '(attribute:stack == prod or attribute:a == 1) and attribute:b == 1',
    'runningTasksCount != 2',
  ])('%s', (text) => expect(evaluate(text)).toBe(false))
})

test.each([['1.84.0'], ['1.10.0']])(
  'a version is compared by its numbers: %s is not below 1.10.0',
  (agentVersion) => {
    const newer = { instance: instanceRow({ name: 'b', versionInfo: { agentVersion } }) }
    const query = parseQuery('agentVersion < 1.10.0')
    expect(matches(query, { ...newer, attributes: new Map(), groups: new Map(), runningTasksCount: 0 })).toBe(
      false,
    )
  },
)

test.each([
  ['colour == red', 0, "unknown subject 'colour'"],
  ['attribute:a', 11, 'expected an operator'],
  ['attribute:a ==', 14, 'expected a value'],
  ['attribute:a == 1 attribute:b == 1', 17, 'expected an operator or the end'],
  ['(attribute:a == 1', 17, "expected ')'"],
  ['attribute:a in 1', 15, "expected '['"],
  ['attribute:a in [1', 17, "expected ',' or ']'"],
  ['attribute:a in []', 16, 'expected a value'],
  ["attribute:a == 'x", 15, 'a quote that does not end'],
  ['attribute:a =~ "[a"', 15, "unsupported pattern '[a'"],
  ['attribute:a =~ \\p{Alpha}+', 15, "unsupported pattern '\\p{Alpha}+'"],
  ['attribute:a =~ a++', 15, "unsupported pattern 'a++'"],
  ['agentVersion =~ 1.*', 13, "'=~' cannot be used with agentVersion"],
  ['agentVersion < new', 15, "'new' is no value of agentVersion"],
  ['runningTasksCount == few', 21, "'few' is no value of runningTasksCount"],
  ['registeredAt < yesterday', 15, "'yesterday' is no value of registeredAt"],
  ['ec2InstanceId exists', 14, "'exists' cannot be used with ec2InstanceId"],
  ['and', 0, "unknown subject 'and'"],
  ['('.repeat(501), 500, 'more than 500 parts'],
  ['!'.repeat(501), 500, 'more than 500 parts'],
])('says where %s is wrong', (text, position, problem) => {
  const error = ((): unknown => {
    try {
      return parseQuery(text)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toBeInstanceOf(QueryError)
  expect(error).toMatchObject({
    text,
    position,
    message: `${problem} at position ${position}.`,
  })
})
