/** The part of a target that rules of EventBridge and schedules of its Scheduler have alike: tasks of Amazon ECS. */
import type { EcsParameters as RuleParameters } from '@aws-sdk/client-eventbridge'
import type { EcsParameters as ScheduleParameters } from '@aws-sdk/client-scheduler'
import { parseArn, type Scope } from '#domain/arn.ts'
import { type Constraints, invalid } from './constraints.ts'
import { unsupported } from './ecs/tasks/placement-checks.ts'

export type EcsParameters = RuleParameters | ScheduleParameters

const awsvpcMax = { Subnets: [1, 16], SecurityGroups: [0, 5] } as const

/** What the models of both say of `ecsParameters`; `taskCountMax` where the model has one. */
export function constrainEcsParameters(
  check: Constraints,
  path: string,
  parameters: EcsParameters | undefined,
  taskCountMax = Infinity,
): void {
  if (!parameters) return
  const { CapacityProviderStrategy: strategy, PlacementConstraints: placement } = parameters
  check.text(`${path}.taskDefinitionArn`, parameters.TaskDefinitionArn, { max: 1600 })
  check.number(`${path}.taskCount`, parameters.TaskCount, 1, taskCountMax)
  check.oneOf(`${path}.launchType`, parameters.LaunchType, ['EC2', 'FARGATE', 'EXTERNAL'])
  check.oneOf(`${path}.propagateTags`, parameters.PropagateTags, ['TASK_DEFINITION'])
  check.oneOf(
    `${path}.networkConfiguration.awsvpcConfiguration.assignPublicIp`,
    parameters.NetworkConfiguration?.awsvpcConfiguration?.AssignPublicIp,
    ['ENABLED', 'DISABLED'],
  )
  check.text(`${path}.group`, parameters.Group, { max: 255 })
  check.text(`${path}.referenceId`, parameters.ReferenceId, { min: 0, max: 1024 })
  check.items(`${path}.capacityProviderStrategy`, strategy, 0, 6)
  for (const [index, { capacityProvider, weight, base }] of (strategy ?? []).entries()) {
    const item = `${path}.capacityProviderStrategy.${index + 1}.member`
    check.text(`${item}.capacityProvider`, capacityProvider, { max: 255 })
    check.number(`${item}.weight`, weight, 0, 1000)
    check.number(`${item}.base`, base, 0, 100_000)
  }
  check.items(`${path}.placementConstraints`, placement, 0, 10)
  for (const [index, { type }] of (placement ?? []).entries())
    check.oneOf(`${path}.placementConstraints.${index + 1}.member.type`, type, [
      'distinctInstance',
      'memberOf',
    ])
  check.items(`${path}.placementStrategy`, parameters.PlacementStrategy, 0, 5)
  for (const [index, { type }] of (parameters.PlacementStrategy ?? []).entries())
    check.oneOf(`${path}.placementStrategy.${index + 1}.member.type`, type, ['random', 'spread', 'binpack'])
  check.items(`${path}.tags`, parameters.Tags, 0, 50)
}

/** The cluster that a target's ARN names. Throws ValidationException, and UnsupportedFeatureException for other targets. */
export function checkCluster(arn: string): Scope {
  const parsed = parseArn(arn)
  if (!parsed) return invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`)
  if (parsed.service !== 'ecs')
    unsupported(
      `${parsed.service} as the target of a rule or schedule`,
      'Name the ARN of an Amazon ECS cluster.',
    )
  if (!/^cluster\/[\w-]{1,255}$/.test(parsed.resource))
    invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`)
  return parsed
}

/**
 * What both services check of the parameters beyond their models, without looking at what the ARNs name. `target` is what
 * the refusals call it: `target ID` or `the target`. Throws ValidationException.
 */
export function checkEcsParameters(clusterArn: string, parameters: EcsParameters, target: string): void {
  const { TaskDefinitionArn: definition = '', LaunchType: launchType, NetworkConfiguration } = parameters
  const parsed = parseArn(definition)
  if (parsed?.service !== 'ecs' || !/^task-definition\/[\w-]{1,255}(?::\d+)?$/.test(parsed.resource))
    invalid(`Parameter ${definition} is not valid. Reason: Provided Arn is not in correct format.`)
  if (parseArn(clusterArn)?.region !== parsed.region)
    invalid(`Region of ${clusterArn} does not match region of ${definition}.`)
  const awsvpc = NetworkConfiguration?.awsvpcConfiguration
  if (launchType === 'FARGATE' && !NetworkConfiguration)
    invalid(`Parameter NetworkConfiguration must be specified for ${target} when launch type is FARGATE`)
  if (launchType === 'EC2')
    for (const [name, value] of [
      ['PlatformVersion', parameters.PlatformVersion],
      ['AssignPublicIp', awsvpc?.AssignPublicIp],
    ] as const)
      if (value !== undefined)
        invalid(`Parameter ${name} for ${target} is not supported when launch type is EC2`)
  for (const [name, [min, max]] of Object.entries(awsvpcMax)) {
    const count = awsvpc?.[name as keyof typeof awsvpcMax]?.length
    if (count !== undefined && (count < min || count > max))
      invalid(`Parameter ${name} is not valid. Reason: size must be in between ${min} and ${max}`)
  }
}

/** Whether a text is JSON, of any kind. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
