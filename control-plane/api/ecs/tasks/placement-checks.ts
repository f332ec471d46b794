/** What RunTask and the services' operations check alike: constraints, strategies and networks. */
import type { NetworkConfiguration, PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { parseQuery, QueryError } from '#domain/placement/query.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'

const strategiesMax = 5
/** Those of the task definition and of the request together. */
const constraintsMax = 10
const expressionLengthMax = 2000

export function refuse(message: string): never {
  throw new AwsError('InvalidParameterException', message)
}

/** Throws InvalidParameterException for a value that the model's enum does not have; `name` is what AWS calls it. */
export function checkOneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value))
    refuse(`${name} should be one of [${allowed.join(',')}]`)
}

/** Of the launch types AWS names in its refusal, MANAGED_INSTANCES is none: it comes of capacity providers only. */
export function checkLaunchType(launchType: string | undefined): void {
  checkOneOf('launch type', launchType, ['EC2', 'FARGATE', 'EXTERNAL'])
}

/** For what AWS can do and Berth cannot yet: a clear error, rather than something stored that never takes effect. */
export function unsupported(what: string, instead: string): never {
  throw new AwsError('UnsupportedFeatureException', `Berth does not support ${what} yet. ${instead}`)
}

/** The constraints of a request, checked. Throws InvalidParameterException. */
export function checkConstraints(
  constraints: readonly PlacementConstraint[] = [],
  taskDefinition?: TaskDefinition,
): readonly PlacementConstraint[] {
  const count = constraints.length + (taskDefinition?.placementConstraints.length ?? 0)
  if (count > constraintsMax) refuse(`Maximum number of constraints is ${constraintsMax}.`)
  for (const { type, expression } of constraints) {
    if (type === 'distinctInstance') {
      if (expression) refuse('distinctInstance expression should not be specified.')
    } else if (type === 'memberOf') checkExpression(expression)
    else refuse('constraint type should be one of [distinctInstance,memberOf]')
  }
  return constraints
}

function checkExpression(expression = ''): void {
  if (expression === '') refuse('memberOf expression should be specified.')
  if (expression.length > expressionLengthMax)
    refuse(`constraint.expression must have at most ${expressionLengthMax} characters.`)
  try {
    parseQuery(expression)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    refuse(`constraint.expression '${expression}' is invalid: ${error.message}`)
  }
}

/** The strategies of a request, checked and written as AWS shows them. Throws InvalidParameterException. */
export function checkStrategies(strategies: readonly PlacementStrategy[] = []): readonly PlacementStrategy[] {
  if (strategies.length > strategiesMax) refuse(`Maximum number of strategies is ${strategiesMax}.`)
  return strategies.map(({ type, field = '' }): PlacementStrategy => {
    switch (type) {
      case 'random':
        if (field !== '') refuse('random field should not be specified.')
        return { type }
      case 'binpack':
        if (!['CPU', 'MEMORY'].includes(field.toUpperCase())) refuse(`binpack field '${field}' is invalid.`)
        return { type, field: field.toUpperCase() }
      case 'spread':
        if (field === 'host') return { type, field: 'instanceId' }
        if (field !== 'instanceId' && !/^attribute:\S+$/.test(field))
          refuse(`spread field '${field}' is invalid.`)
        return { type, field }
      case undefined:
      default:
        return refuse('strategy type should be one of [random,spread,binpack]')
    }
  })
}

/** Whether the network configuration suits the definition's network mode. Throws InvalidParameterException. */
export function checkNetwork(
  { networkMode }: TaskDefinition,
  configuration: NetworkConfiguration | undefined,
  launchType: string,
): void {
  const awsvpc = configuration?.awsvpcConfiguration
  if (networkMode !== 'awsvpc') {
    if (awsvpc)
      refuse('Network Configuration is not valid for the given networkMode of this task definition.')
    return
  }
  if (!awsvpc) return refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
  if ((awsvpc.subnets ?? []).length === 0) refuse('subnets can not be empty.')
  if ((awsvpc.subnets ?? []).length > 16) refuse('subnets can have at most 16 items.')
  if ((awsvpc.securityGroups ?? []).length > 5) refuse('securityGroups can have at most 5 items.')
  checkOneOf('assignPublicIp', awsvpc.assignPublicIp, ['ENABLED', 'DISABLED'])
  if (awsvpc.assignPublicIp === 'ENABLED' && launchType !== 'FARGATE')
    refuse('Assign public IP is not supported for this launch type.')
}
