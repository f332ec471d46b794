import type { CreateScheduleInput, Target } from '@aws-sdk/client-scheduler'
import { constraints, type Constraints, invalid } from '#api/constraints.ts'
import { checkCluster, checkEcsParameters, constrainEcsParameters, isJson } from '#api/ecs-target.ts'
import { unsupported } from '#api/ecs/tasks/placement-checks.ts'
import type { Context } from '#api/operation.ts'
import { ScheduleError } from '#domain/schedule/cron.ts'
import { isTimeZone, parseScheduleExpression } from '#domain/schedule/schedule-expression.ts'
import { constrainName, constrainToken } from './resolve.ts'

const inputBytesMax = 256 * 1024
const startAgeMsMax = 5 * 60_000
/** Blocks of targets of other kinds. */
const otherParameters = [
  'EventBridgeParameters',
  'EventBridgePutEventsV2Parameters',
  'EventBridgePutRawEventsParameters',
  'KinesisParameters',
  'SageMakerPipelineParameters',
  'SqsParameters',
] as const satisfies ReadonlyArray<keyof Target>

/** What CreateSchedule and UpdateSchedule check alike. Throws ValidationException. */
export function checkSchedule(context: Context, input: CreateScheduleInput): void {
  constrain(input)
  const { ScheduleExpressionTimezone: timeZone = 'UTC', ScheduleExpression: expression = '' } = input
  // No source gives AWS's text.
  if (!isTimeZone(timeZone)) invalid(`Invalid ScheduleExpressionTimezone ${timeZone}.`)
  const isOnce = kindOf(expression, timeZone) === 'at'
  checkWindow(input)
  if (!isOnce) checkDates(input, context.clock.now())
  // No source gives AWS's text.
  if (input.ActionAfterCompletion === 'DELETE' && !isOnce && !input.EndDate)
    invalid('EndDate must be provided when ActionAfterCompletion of a recurring schedule is set to DELETE.')
  checkTarget(context, input.Target ?? { Arn: undefined, RoleArn: undefined })
}

function constrain(input: CreateScheduleInput): void {
  const check = constraints()
  constrainName(check, 'name', input.Name)
  constrainName(check, 'groupName', input.GroupName)
  check.text('scheduleExpression', input.ScheduleExpression, { max: 256 })
  check.text('description', input.Description, { min: 0, max: 512 })
  check.text('scheduleExpressionTimezone', input.ScheduleExpressionTimezone, { max: 50 })
  check.oneOf('state', input.State, ['ENABLED', 'DISABLED'])
  check.text('kmsKeyArn', input.KmsKeyArn, {
    max: 2048,
    pattern: /^arn:aws(?:-[a-z]+)?:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[0-9a-zA-Z\-_]*$/,
    shown: '^arn:aws(-[a-z]+)?:kms:[a-z0-9\\-]+:\\d{12}:(key|alias)\\/[0-9a-zA-Z-_]*$',
  })
  constrainToken(check, input.ClientToken)
  check.oneOf('actionAfterCompletion', input.ActionAfterCompletion, ['NONE', 'DELETE'])
  check.oneOf('flexibleTimeWindow.mode', input.FlexibleTimeWindow?.Mode, ['OFF', 'FLEXIBLE'])
  const windowMinutes = input.FlexibleTimeWindow?.MaximumWindowInMinutes
  check.number('flexibleTimeWindow.maximumWindowInMinutes', windowMinutes, 1, 1440)
  constrainTarget(check, input.Target)
  check.check()
}

function constrainTarget(check: Constraints, target: Target | undefined): void {
  check.text('target.arn', target?.Arn, { max: 1600 })
  check.text('target.roleArn', target?.RoleArn, {
    max: 1600,
    pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    shown: '^arn:aws(-[a-z]+)?:iam::\\d{12}:role\\/[\\w+=,.@\\/-]+$',
  })
  check.text('target.input', target?.Input, {})
  const { MaximumRetryAttempts: attempts, MaximumEventAgeInSeconds: age } = target?.RetryPolicy ?? {}
  check.number('target.retryPolicy.maximumRetryAttempts', attempts, 0, 185)
  check.number('target.retryPolicy.maximumEventAgeInSeconds', age, 60, 86_400)
  constrainEcsParameters(check, 'target.ecsParameters', target?.EcsParameters, 10)
}

function kindOf(expression: string, timeZone: string): 'rate' | 'cron' | 'at' {
  try {
    return parseScheduleExpression(expression, 'scheduler', timeZone).kind
  } catch (error) {
    if (error instanceof ScheduleError) return invalid(`Invalid Schedule Expression ${expression}.`)
    throw error
  }
}

function checkWindow({ FlexibleTimeWindow }: CreateScheduleInput): void {
  const given = FlexibleTimeWindow?.MaximumWindowInMinutes !== undefined
  if (FlexibleTimeWindow?.Mode === 'OFF' && given)
    invalid('MaximumWindowInMinutes must not be provided when FlexibleTimeWindowMode is set to OFF.')
  if (FlexibleTimeWindow?.Mode === 'FLEXIBLE' && !given)
    invalid('MaximumWindowInMinutes must be provided when FlexibleTimeWindowMode is set to FLEXIBLE.')
}

/** The dates of a schedule that runs once are ignored. */
function checkDates({ StartDate, EndDate }: CreateScheduleInput, now: number): void {
  if (StartDate && EndDate && StartDate >= EndDate)
    invalid('The StartDate you specify must come before the EndDate.')
  if (StartDate && StartDate.getTime() < now - startAgeMsMax)
    invalid('The StartDate you specify cannot be earlier than 5 minutes ago.')
}

function checkTarget({ scope }: Context, target: Target): void {
  const { Arn: arn = '', Input: input, EcsParameters: parameters } = target
  if (arn.includes(':aws-sdk:'))
    unsupported('universal targets', 'Name the ARN of an Amazon ECS cluster, with EcsParameters.')
  const cluster = checkCluster(arn)
  if (cluster.region !== scope.region)
    invalid(`The target ARN provided does not match the current region ${scope.region}.`)
  for (const name of otherParameters)
    if (target[name]) invalid(`Parameters ${name} not supported for the target.`)
  if (!parameters) return invalid('Parameters EcsParameters must be specified for the target.')
  checkEcsParameters(arn, parameters, 'the target')
  if (input !== undefined && !isJson(input)) invalid('JSON syntax error in input for the target')
  if (Buffer.byteLength(input ?? '') > inputBytesMax)
    invalid(`The input of the target can have at most ${inputBytesMax} bytes.`)
  if (target.DeadLetterConfig?.Arn !== undefined)
    unsupported('dead-letter queues', 'Leave DeadLetterConfig out; what could not be started is logged.')
}
