/** What tests of rules and schedules start from: targets that are right, and what a refusal said. */
import type { Target as RuleTarget } from '@aws-sdk/client-eventbridge'
import type { CreateScheduleInput, Target as ScheduleTarget } from '@aws-sdk/client-scheduler'
import { AwsError } from '@berth/wire/error.ts'

export const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/demo'
export const definitionArn = 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1'
const roleArn = 'arn:aws:iam::000000000000:role/runs-tasks'

export const ruleTarget = (more: Partial<RuleTarget> = {}): RuleTarget => ({
  Id: 't1',
  Arn: clusterArn,
  RoleArn: roleArn,
  EcsParameters: { TaskDefinitionArn: definitionArn },
  ...more,
})

export const scheduleTarget = (more: Partial<ScheduleTarget> = {}): ScheduleTarget => ({
  Arn: clusterArn,
  RoleArn: roleArn,
  EcsParameters: { TaskDefinitionArn: definitionArn },
  ...more,
})

export const schedule = (more: Partial<CreateScheduleInput> = {}): CreateScheduleInput => ({
  Name: 's',
  ScheduleExpression: 'rate(5 minutes)',
  FlexibleTimeWindow: { Mode: 'OFF' },
  Target: scheduleTarget(),
  ...more,
})

/** Code and message of what is thrown; undefined when nothing is. */
export function refusal(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof AwsError) return `${error.code}: ${error.message}`
    throw error
  }
}
