// Inputs of the operations of EventBridge and its Scheduler that succeed; see samples-testing.ts.
import { ruleTarget, schedule } from '#api/schedule-testing.ts'
import type { Samples } from './samples-testing.ts'

const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/default'
const definition = 'arn:aws:ecs:us-east-1:000000000000:task-definition/job'
const target = { Arn: clusterArn, EcsParameters: { TaskDefinitionArn: definition } }
const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/r'
const groupArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule-group/g'
const Tags = [{ Key: 'team', Value: 'a' }]
const made = (more: Parameters<typeof schedule>[0] = {}): object => {
  const input = schedule(more)
  return { ...input, Target: { ...input.Target, ...target } }
}

export const eventsSamples: Samples = {
  PutRule: [
    { Name: 'new', ScheduleExpression: 'rate(1 minute)' },
    { Name: 'r', ScheduleExpression: 'rate(2 minutes)', State: 'DISABLED' },
  ],
  PutTargets: [{ Rule: 'r', Targets: [{ ...ruleTarget(target), Id: 't2' }] }],
  RemoveTargets: [{ Rule: 'r', Ids: ['t1'] }],
  DescribeRule: [{ Name: 'r' }],
  DisableRule: [{ Name: 'r' }],
  EnableRule: [{ Name: 'r' }],
  DeleteRule: [{ Name: 'idle' }],
  ListRules: [{}],
  ListTargetsByRule: [{ Rule: 'r' }],
  ListRuleNamesByTarget: [{ TargetArn: clusterArn }],
  TagResource: [{ ResourceARN: ruleArn, Tags: [{ Key: 'stage', Value: 'b' }] }],
  UntagResource: [{ ResourceARN: ruleArn, TagKeys: ['team'] }],
  ListTagsForResource: [{ ResourceARN: ruleArn }],
}

export const schedulerSamples: Samples = {
  CreateSchedule: [made({ Name: 'new' }), made({ Name: 'new', GroupName: 'g' })],
  UpdateSchedule: [made({ FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 3 } })],
  DeleteSchedule: [{ Name: 's' }, { Name: 's', GroupName: 'g' }],
  GetSchedule: [{ Name: 's' }],
  ListSchedules: [{}],
  CreateScheduleGroup: [{ Name: 'new' }],
  DeleteScheduleGroup: [{ Name: 'g' }],
  GetScheduleGroup: [{ Name: 'g' }],
  ListScheduleGroups: [{}],
  TagResource: [{ ResourceArn: groupArn, Tags: [{ Key: 'stage', Value: 'b' }] }],
  UntagResource: [{ ResourceArn: groupArn, TagKeys: ['team'] }],
  ListTagsForResource: [{ ResourceArn: groupArn }],
}

export const scheduleTexts: Readonly<Record<string, readonly string[]>> = {
  Name: ['s', 'r', 'g', 'new', 'idle', 'default'],
  GroupName: ['default', 'g', 'new'],
  Rule: ['r', 'new', 'idle'],
  NamePrefix: ['r', 'n', 's'],
  Id: ['t1', 't2'],
  Ids: ['t1', 't2'],
  Arn: [clusterArn],
  TargetArn: [clusterArn],
  TaskDefinitionArn: [definition, `${definition}:1`],
  RoleArn: ['arn:aws:iam::000000000000:role/r'],
  ScheduleExpression: ['rate(1 minute)', 'rate(3 hours)', 'cron(0/7 * * * ? *)', 'at(2026-01-02T00:00:00)'],
  ScheduleExpressionTimezone: ['UTC', 'Europe/Berlin', '+01:00'],
  Input: ['{}', '"x"', '{"containerOverrides":[{"name":"app","command":["a"]}]}', '{"cpu":1}'],
  EventBusName: ['default', 'other'],
  ResourceArn: [groupArn, groupArn.replace(/g$/, 'default'), groupArn.replace(/g$/, 'none')],
  ResourceARN: [ruleArn, `${ruleArn}none`],
  KmsKeyArn: ['arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555'],
  TagKeys: ['team', 'none'],
}

export const eventsPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['PutRule', { Name: 'r', ScheduleExpression: 'rate(1 minute)', Tags }],
  ['PutRule', { Name: 'idle', ScheduleExpression: 'rate(1 minute)' }],
  ['PutTargets', { Rule: 'r', Targets: [ruleTarget(target)] }],
]

export const schedulerPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateScheduleGroup', { Name: 'g', Tags }],
  ['CreateSchedule', made()],
  ['CreateSchedule', made({ GroupName: 'g' })],
]
