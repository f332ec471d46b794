import type {
  ListRuleNamesByTargetRequest,
  ListRuleNamesByTargetResponse,
  ListTargetsByRuleRequest,
  ListTargetsByRuleResponse,
  PutTargetsRequest,
  PutTargetsResponse,
  RemoveTargetsRequest,
  RemoveTargetsResponse,
  Target,
} from '@aws-sdk/client-eventbridge'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints, invalid } from '#api/constraints.ts'
import { checkCluster, checkEcsParameters, constrainEcsParameters, isJson } from '#api/ecs-target.ts'
import { unsupported } from '#api/ecs/tasks/placement-checks.ts'
import type { Context, Operation } from '#api/operation.ts'
import { schedulePage } from '#api/schedule-page.ts'
import { formatArn, parseArn, scopeKey } from '#domain/arn.ts'
import { constrainBus, constrainName, requireDefaultBus, resolveRule, ruleArnOf } from './resolve.ts'

const targetsMax = 5
/** Blocks of targets of other kinds; SqsParameters is taken with any. */
const otherParameters = [
  'KinesisParameters',
  'RunCommandParameters',
  'BatchParameters',
  'HttpParameters',
  'RedshiftDataParameters',
  'SageMakerPipelineParameters',
  'AppSyncParameters',
] as const satisfies ReadonlyArray<keyof Target>

/** What the ARNs of a target name is not looked up before it is needed. */
export const putTargets: Operation<PutTargetsRequest, PutTargetsResponse> = {
  resources: (context, { Rule }) => [ruleArnOf(context, Rule)],
  run: (context, { Rule, EventBusName, Targets = [] }) => {
    const check = constraints()
    constrainName(check, 'rule', Rule)
    constrainBus(check, EventBusName)
    check.items('targets', Targets, 1, 100)
    for (const [index, target] of Targets.entries())
      constrainTarget(check, `targets.${index + 1}.member`, target)
    check.check()
    requireDefaultBus(context, EventBusName)
    for (const target of Targets) checkTarget(context, target)
    return context.store.update((tx) => {
      const { ruleArn } = resolveRule(tx, context, Rule)
      for (const target of Targets)
        tx.put('ruleTarget', { ruleArn, id: target.Id ?? '', arn: target.Arn ?? '', target })
      if (tx.count('ruleTarget', 'rule', ruleArn) > targetsMax)
        throw new AwsError(
          'LimitExceededException',
          'The requested resource exceeds the maximum number allowed.',
        )
      return { FailedEntryCount: 0, FailedEntries: [] }
    })
  },
}

function constrainId(check: Constraints, path: string, id: string | undefined): void {
  check.text(path, id, { max: 64, pattern: /^[.\-_A-Za-z0-9]+$/, shown: '[\\.\\-_A-Za-z0-9]+' })
}

function constrainTarget(check: Constraints, path: string, target: Target): void {
  constrainId(check, `${path}.id`, target.Id)
  check.text(`${path}.arn`, target.Arn, { max: 1600 })
  check.text(`${path}.roleArn`, target.RoleArn, { max: 1600 })
  check.text(`${path}.input`, target.Input, { min: 0, max: 8192 })
  check.text(`${path}.inputPath`, target.InputPath, { min: 0, max: 256 })
  check.number(`${path}.retryPolicy.maximumRetryAttempts`, target.RetryPolicy?.MaximumRetryAttempts, 0, 185)
  const age = target.RetryPolicy?.MaximumEventAgeInSeconds
  check.number(`${path}.retryPolicy.maximumEventAgeInSeconds`, age, 60, 86_400)
  constrainEcsParameters(check, `${path}.ecsParameters`, target.EcsParameters)
}

function checkTarget({ scope }: Context, target: Target): void {
  const { Id: id = '', Arn: arn = '', RoleArn: roleArn, EcsParameters: parameters } = target
  const cluster = checkCluster(arn)
  // No source gives AWS's text for a cluster of another region.
  if (cluster.region !== scope.region)
    invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in the region ${scope.region}.`)
  if (roleArn === undefined) invalid(`RoleArn is required for target ${arn}.`)
  if (parseArn(roleArn)?.service !== 'iam')
    invalid(`Parameter ${roleArn} is not valid. Reason: Provided Arn is not in correct format.`)
  for (const name of otherParameters)
    if (target[name]) invalid(`Parameter(s) ${name} not supported for target: ${id}.`)
  checkInput(target)
  if (!parameters) return invalid(`Parameter(s) EcsParameters must be specified for target: ${id}.`)
  if ((parameters.TaskCount ?? 1) > 10) invalid(`Parameter(s) TaskCount not valid for target: ${id}.`)
  checkEcsParameters(arn, parameters, `target ${id}`)
  if (target.DeadLetterConfig?.Arn !== undefined)
    unsupported('dead-letter queues', 'Leave DeadLetterConfig out; what could not be started is logged.')
}

function checkInput({ Id: id, Input, InputPath, InputTransformer }: Target): void {
  const given = [Input, InputPath, InputTransformer].filter((each) => each !== undefined)
  if (given.length > 1)
    invalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`)
  if (Input !== undefined && !isJson(Input)) invalid(`JSON syntax error in input for target ${id}`)
  if (InputPath !== undefined || InputTransformer)
    unsupported('inputs made from the event', 'Give the target an Input, or none.')
}

/** Ids that no target has are passed over. */
export const removeTargets: Operation<RemoveTargetsRequest, RemoveTargetsResponse> = {
  resources: (context, { Rule }) => [ruleArnOf(context, Rule)],
  run: (context, { Rule, EventBusName, Ids = [] }) => {
    const check = constraints()
    constrainName(check, 'rule', Rule)
    constrainBus(check, EventBusName)
    check.items('ids', Ids, 1, 100)
    for (const [index, id] of Ids.entries()) constrainId(check, `ids.${index + 1}.member`, id)
    check.check()
    requireDefaultBus(context, EventBusName)
    return context.store.update((tx) => {
      const { ruleArn } = resolveRule(tx, context, Rule)
      for (const id of Ids) tx.delete('ruleTarget', `${ruleArn} ${id}`)
      return { FailedEntryCount: 0, FailedEntries: [] }
    })
  },
}

export const listTargetsByRule: Operation<ListTargetsByRuleRequest, ListTargetsByRuleResponse> = {
  resources: (context, { Rule }) => [ruleArnOf(context, Rule)],
  run: (context, { Rule, EventBusName, NextToken, Limit }) => {
    const check = constraints()
    constrainName(check, 'rule', Rule)
    constrainBus(check, EventBusName)
    check.number('limit', Limit, 1, 100)
    check.check()
    requireDefaultBus(context, EventBusName)
    const { ruleArn } = resolveRule(context.store, context, Rule)
    const { rows, nextToken } = schedulePage(
      (after) => context.store.after('ruleTarget', 'rule', ruleArn, after),
      { context, maxResults: Limit, nextToken: NextToken, parameters: { list: 'ListTargets', ruleArn } },
      ({ id }) => `${ruleArn} ${id}`,
    )
    return {
      Targets: rows.map(({ target }) => target),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}

export const listRuleNamesByTarget: Operation<ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse> = {
  resources: ({ scope }) => [formatArn(scope, 'events', 'rule/*')],
  run: (context, { TargetArn = '', EventBusName, NextToken, Limit }) => {
    const check = constraints()
    check.text('targetArn', TargetArn, { max: 1600 })
    constrainBus(check, EventBusName)
    check.number('limit', Limit, 1, 100)
    check.check()
    requireDefaultBus(context, EventBusName)
    const { store, scope } = context
    const own = formatArn(scope, 'events', 'rule/')
    const names = new Set(
      store
        .by('ruleTarget', 'arn', TargetArn)
        .flatMap(({ ruleArn }) => (ruleArn.startsWith(own) ? [ruleArn.slice(own.length)] : [])),
    )
    const sorted = [...names].toSorted()
    const { rows, nextToken } = schedulePage(
      (after) => sorted.filter((name) => after === undefined || name > after),
      {
        context,
        maxResults: Limit,
        nextToken: NextToken,
        parameters: { list: 'ListRuleNamesByTarget', TargetArn, scope: scopeKey(scope) },
      },
      (name) => name,
    )
    return { RuleNames: [...rows], ...(nextToken !== undefined && { NextToken: nextToken }) }
  },
}
