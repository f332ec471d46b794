import type { Target } from '@aws-sdk/client-eventbridge'
import { expect, test } from 'vitest'
import { clusterArn, definitionArn, refusal, ruleTarget } from '#api/schedule-testing.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { putRule } from './rule.ts'
import { listRuleNamesByTarget, listTargetsByRule, putTargets, removeTargets } from './target.ts'

async function withRule(): Promise<TestContext> {
  const context = await testContext()
  putRule.run(context, { Name: 'r', ScheduleExpression: 'rate(1 hour)' })
  return context
}

const whole = ruleTarget({
  Input: '{"containerOverrides":[{"name":"app","command":["true"]}]}',
  RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
  EcsParameters: {
    TaskDefinitionArn: definitionArn.replace(':1', ''),
    TaskCount: 10,
    CapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    Group: 'g',
    PropagateTags: 'TASK_DEFINITION',
    Tags: [{ Key: 'k', Value: 'v' }],
  },
})

test('targets are shown as they were put, and replaced by their ids', async () => {
  const context = await withRule()
  const nothingFailed = { FailedEntryCount: 0, FailedEntries: [] }
  expect(putTargets.run(context, { Rule: 'r', Targets: [ruleTarget(), { ...whole, Id: 't2' }] })).toEqual(
    nothingFailed,
  )
  putTargets.run(context, { Rule: 'r', Targets: [ruleTarget({ Input: '"hello"' })] })
  expect(listTargetsByRule.run(context, { Rule: 'r' })).toEqual({
    Targets: [ruleTarget({ Input: '"hello"' }), { ...whole, Id: 't2' }],
  })
  expect(listRuleNamesByTarget.run(context, { TargetArn: clusterArn })).toEqual({ RuleNames: ['r'] })
  expect(removeTargets.run(context, { Rule: 'r', Ids: ['t1', 'other'] })).toEqual(nothingFailed)
  removeTargets.run(context, { Rule: 'r', Ids: ['t2'] })
  expect(listTargetsByRule.run(context, { Rule: 'r' })).toEqual({ Targets: [] })
  expect(listRuleNamesByTarget.run(context, { TargetArn: clusterArn })).toEqual({ RuleNames: [] })
})

test('a rule has five targets at most', async () => {
  const context = await withRule()
  const targets = (ids: readonly string[]) => ids.map((Id) => ruleTarget({ Id }))
  putTargets.run(context, { Rule: 'r', Targets: targets(['1', '2', '3', '4', '5']) })
  putTargets.run(context, { Rule: 'r', Targets: targets(['5']) })
  expect(refusal(() => putTargets.run(context, { Rule: 'r', Targets: targets(['6']) }))).toBe(
    'LimitExceededException: The requested resource exceeds the maximum number allowed.',
  )
  expect(context.store.size('ruleTarget')).toBe(5)
})

const parameters = (more: Partial<Target['EcsParameters']>): Partial<Target> => ({
  EcsParameters: { TaskDefinitionArn: definitionArn, ...more },
})
const subnets = (count: number, groups = 0) => ({
  NetworkConfiguration: {
    awsvpcConfiguration: {
      Subnets: Array.from({ length: count }, (_, index) => `subnet-${index}`),
      SecurityGroups: Array.from({ length: groups }, (_, index) => `sg-${index}`),
    },
  },
})
const elsewhere = definitionArn.replace('us-east-1', 'eu-west-1')

test.each<readonly [Partial<Target>, string]>([
  [{ RoleArn: undefined }, `ValidationException: RoleArn is required for target ${clusterArn}.`],
  [
    { EcsParameters: undefined },
    'ValidationException: Parameter(s) EcsParameters must be specified for target: t1.',
  ],
  [parameters({ TaskCount: 11 }), 'ValidationException: Parameter(s) TaskCount not valid for target: t1.'],
  [
    parameters({ TaskCount: 0 }),
    "ValidationException: 1 validation error detected: Value '0' at 'targets.1.member.ecsParameters.taskCount' failed to satisfy constraint: Member must have value greater than or equal to 1",
  ],
  [
    parameters({ LaunchType: 'FARGATE' }),
    'ValidationException: Parameter NetworkConfiguration must be specified for target t1 when launch type is FARGATE',
  ],
  [
    parameters({ LaunchType: 'EC2', PlatformVersion: '1.4.0' }),
    'ValidationException: Parameter PlatformVersion for target t1 is not supported when launch type is EC2',
  ],
  [
    parameters(subnets(17)),
    'ValidationException: Parameter Subnets is not valid. Reason: size must be in between 1 and 16',
  ],
  [
    parameters(subnets(16, 6)),
    'ValidationException: Parameter SecurityGroups is not valid. Reason: size must be in between 0 and 5',
  ],
  [
    parameters({ TaskDefinitionArn: elsewhere }),
    `ValidationException: Region of ${clusterArn} does not match region of ${elsewhere}.`,
  ],
  [
    { KinesisParameters: { PartitionKeyPath: '$' } },
    'ValidationException: Parameter(s) KinesisParameters not supported for target: t1.',
  ],
  [{ Input: 'hello' }, 'ValidationException: JSON syntax error in input for target t1'],
  [
    { Input: '{}', InputPath: '$.detail' },
    'ValidationException: Only one of Input, InputPath, or InputTransformer must be provided for target t1.',
  ],
  [
    { InputPath: '$.detail' },
    'UnsupportedFeatureException: Berth does not support inputs made from the event yet. Give the target an Input, or none.',
  ],
  [
    { DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q' } },
    'UnsupportedFeatureException: Berth does not support dead-letter queues yet. Leave DeadLetterConfig out; what could not be started is logged.',
  ],
  [
    { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:f' },
    'UnsupportedFeatureException: Berth does not support lambda as the target of a rule or schedule yet. Name the ARN of an Amazon ECS cluster.',
  ],
  [
    { Arn: 'demo' },
    'ValidationException: Parameter demo is not valid. Reason: Provided Arn is not in correct format.',
  ],
  [
    { Id: 'bad id' },
    "ValidationException: 1 validation error detected: Value 'bad id' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
  ],
])('PutTargets refuses %j and changes nothing', async (more, expected) => {
  const context = await withRule()
  expect(refusal(() => putTargets.run(context, { Rule: 'r', Targets: [ruleTarget(more)] }))).toBe(expected)
  expect(context.store.list('ruleTarget')).toEqual([])
})

test('a rule that is not there has no targets', async () => {
  const context = await withRule()
  const gone = 'ResourceNotFoundException: Rule nope does not exist on EventBus default.'
  expect(refusal(() => putTargets.run(context, { Rule: 'nope', Targets: [ruleTarget()] }))).toBe(gone)
  expect(refusal(() => removeTargets.run(context, { Rule: 'nope', Ids: ['t1'] }))).toBe(gone)
  expect(refusal(() => listTargetsByRule.run(context, { Rule: 'nope' }))).toBe(gone)
})
