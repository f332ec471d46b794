/** What CreateService and UpdateService check of a deployment configuration. Words that AWS does not publish are ours. */
import type {
  DeploymentAlarms,
  DeploymentCircuitBreaker,
  DeploymentConfiguration,
  DeploymentEarlySuccessCriteria,
  DeploymentLifecycleHook,
} from '@aws-sdk/client-ecs'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'

const bakeTimeMaxMinutes = 1440
const pauseMaxMinutes = 20_160
const alarmNameLengthMax = 255

/** Stages at which a hook may run, in their order; SCALE_UP, BAKE_TIME and CLEAN_UP take none. */
const hookStages = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
]
/** Traffic is on its way at these: there is nothing to pause at. */
const shiftStages = ['TEST_TRAFFIC_SHIFT', 'PRODUCTION_TRAFFIC_SHIFT']

/** Throws InvalidParameterException; `configuration` is complete. */
export function checkPercents({
  minimumHealthyPercent = 100,
  maximumPercent = 200,
}: DeploymentConfiguration): void {
  if (minimumHealthyPercent < 0) refuse('minimumHealthyPercent must not be negative')
  if (minimumHealthyPercent > 100) refuse('minimumHealthyPercent must be at most 100')
  if (maximumPercent < 100) refuse('maximumPercent must be at least 100')
  if (minimumHealthyPercent === 100 && maximumPercent === 100)
    refuse('Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.')
}

/**
 * Whether the strategy of deployments and all that goes with it can be. Throws InvalidParameterException; `configuration`
 * is complete.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
 */
export function checkDeploymentStrategy(configuration: DeploymentConfiguration): void {
  const { strategy = 'ROLLING', linearConfiguration: linear, canaryConfiguration: canary } = configuration
  checkOneOf('deployment strategy', strategy, ['ROLLING', 'BLUE_GREEN', 'LINEAR', 'CANARY'])
  checkMinutes('bakeTimeInMinutes', configuration.bakeTimeInMinutes)
  if (linear) {
    if (strategy !== 'LINEAR')
      refuse('linearConfiguration is only valid when the deployment strategy is LINEAR.')
    checkTenths('stepPercent', linear.stepPercent, 3)
    checkMinutes('stepBakeTimeInMinutes', linear.stepBakeTimeInMinutes)
  }
  if (canary) {
    if (strategy !== 'CANARY')
      refuse('canaryConfiguration is only valid when the deployment strategy is CANARY.')
    checkTenths('canaryPercent', canary.canaryPercent, 0.1)
    checkMinutes('canaryBakeTimeInMinutes', canary.canaryBakeTimeInMinutes)
  }
  for (const hook of configuration.lifecycleHooks ?? []) checkHook(hook)
  if (configuration.deploymentCircuitBreaker) checkBreaker(configuration.deploymentCircuitBreaker)
  if (configuration.alarms) checkAlarms(configuration.alarms)
  if (configuration.earlySuccessCriteria)
    checkEarlySuccess(configuration.earlySuccessCriteria, configuration, strategy)
}

function checkMinutes(name: string, value: number | undefined, most = bakeTimeMaxMinutes, least = 0): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
    refuse(`${name} must be between ${least} and ${most}.`)
}

/** Percentages go by tenths. */
function checkTenths(name: string, value: number | undefined, least: number): void {
  if (value === undefined) return
  if (!(value >= least && value <= 100)) refuse(`${name} must be between ${least.toFixed(1)} and 100.0.`)
  if (Math.abs(value * 10 - Math.round(value * 10)) > 1e-6) refuse(`${name} must be a multiple of 0.1.`)
}

function checkHook({
  targetType = 'AWS_LAMBDA',
  hookTargetArn,
  roleArn,
  lifecycleStages = [],
  timeoutConfiguration,
}: DeploymentLifecycleHook): void {
  checkOneOf('targetType', targetType, ['AWS_LAMBDA', 'PAUSE'])
  if (lifecycleStages.length === 0) refuse('lifecycleStages can not be empty.')
  for (const stage of lifecycleStages) checkOneOf('lifecycle stage', stage, hookStages)
  if (targetType === 'PAUSE') {
    if (hookTargetArn !== undefined) refuse('hookTargetArn is not supported for PAUSE lifecycle hooks.')
    const shift = lifecycleStages.find((stage) => shiftStages.includes(stage))
    if (shift !== undefined) refuse(`PAUSE lifecycle hooks are not supported at lifecycle stage ${shift}.`)
  } else {
    if (!/^arn:aws[^:]*:lambda:/.test(hookTargetArn ?? ''))
      refuse('hookTargetArn must be the ARN of a Lambda function for AWS_LAMBDA lifecycle hooks.')
    if (!/^arn:aws[^:]*:iam:/.test(roleArn ?? ''))
      refuse('roleArn must be the ARN of an IAM role for AWS_LAMBDA lifecycle hooks.')
  }
  checkMinutes(
    'timeoutInMinutes',
    timeoutConfiguration?.timeoutInMinutes,
    targetType === 'PAUSE' ? pauseMaxMinutes : bakeTimeMaxMinutes,
    1,
  )
  checkOneOf('timeout action', timeoutConfiguration?.action, ['CONTINUE', 'ROLLBACK'])
}

function checkBreaker({ thresholdConfiguration }: DeploymentCircuitBreaker): void {
  if (!thresholdConfiguration) return
  const { type, value = 0 } = thresholdConfiguration
  checkOneOf('threshold type', type, ['COUNT', 'BOUNDED_PERCENT', 'UNBOUNDED_PERCENT'])
  if (!Number.isInteger(value) || value < 1) refuse('The value of thresholdConfiguration must be at least 1.')
}

function checkAlarms({ enable, alarmNames = [] }: DeploymentAlarms): void {
  if (enable && alarmNames.length === 0) refuse('alarmNames can not be empty when alarms are enabled.')
  for (const name of alarmNames)
    if (name.length < 1 || name.length > alarmNameLengthMax)
      refuse(`alarmNames must have between 1 and ${alarmNameLengthMax} characters.`)
}

function checkEarlySuccess(
  { enable, healthyPercent, sourceServiceRevisionCleanup: cleanup }: DeploymentEarlySuccessCriteria,
  { minimumHealthyPercent = 100 }: DeploymentConfiguration,
  strategy: string,
): void {
  checkOneOf('sourceServiceRevisionCleanup', cleanup, ['BLOCKING', 'DEFERRED'])
  if (healthyPercent !== undefined && !(healthyPercent >= 0 && healthyPercent <= 100))
    refuse('healthyPercent must be between 0 and 100.')
  if (!enable) return
  if (strategy !== 'ROLLING') refuse('earlySuccessCriteria is only supported for ROLLING deployments.')
  if (healthyPercent === undefined || cleanup === undefined)
    return refuse('earlySuccessCriteria requires healthyPercent and sourceServiceRevisionCleanup.')
  if (healthyPercent < minimumHealthyPercent)
    refuse('healthyPercent must be greater than or equal to minimumHealthyPercent.')
}
