import type {
  DeleteRuleRequest,
  DescribeRuleRequest,
  DescribeRuleResponse,
  DisableRuleRequest,
  EnableRuleRequest,
  ListRulesRequest,
  ListRulesResponse,
  PutRuleRequest,
  PutRuleResponse,
  Rule as RuleShape,
} from '@aws-sdk/client-eventbridge'
import { constraints, invalid } from '#api/constraints.ts'
import { unsupported } from '#api/ecs/tasks/placement-checks.ts'
import type { Context, Operation } from '#api/operation.ts'
import { schedulePage } from '#api/schedule-page.ts'
import { addTags, constrainTags } from '#api/schedule-tags.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import { ScheduleError } from '#domain/schedule/cron.ts'
import { type Rule, ruleTiming } from '#domain/schedule/rule.ts'
import { nextDue, type Timing } from '#domain/schedule/timing.ts'
import {
  constrainBus,
  constrainName,
  isDefaultBus,
  requireDefaultBus,
  resolveRule,
  ruleArnOf,
} from './resolve.ts'

const states = ['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS']
export const tagsMax = 50

export const putRule: Operation<PutRuleRequest, PutRuleResponse> = {
  resources: (context, { Name }) => [ruleArnOf(context, Name)],
  run: (context, input) => {
    checkRule(context, input)
    const { Name: name = '', ScheduleExpression: scheduleExpression = '', Tags: tags = [] } = input
    const { store, scope, caller } = context
    const now = context.clock.now()
    return store.update((tx) => {
      const ruleArn = ruleArnOf(context, name)
      const before = tx.find('rule', ruleArn)
      // A rule that is put again as it was does not lose count.
      const sameRate = before?.scheduleExpression === scheduleExpression && before.next !== undefined
      const ratesFrom = sameRate ? before.ratesFrom : now
      const timing = timingOf({ scheduleExpression, ratesFrom })
      const { State: state = 'ENABLED', Description: description, RoleArn: roleArn } = input
      tx.put('rule', {
        ...scope,
        ruleArn,
        name,
        scheduleExpression,
        state,
        ...(description !== undefined && { description }),
        ...(roleArn !== undefined && { roleArn }),
        createdBy: before?.createdBy ?? caller.accountId,
        ratesFrom,
        ...(sameRate && state !== 'DISABLED' ? { next: before.next } : nextOf(timing, state, now)),
      })
      // "If you are updating an existing rule, any tags you specify in the PutRule operation are ignored."
      if (!before) addTags(tx, ruleArn, tags, tagsMax)
      return { RuleArn: ruleArn }
    })
  },
}

function checkRule(context: Context, input: PutRuleRequest): void {
  const { ScheduleExpression: expression, EventPattern: pattern, EventBusName: bus } = input
  const check = constraints()
  constrainName(check, 'name', input.Name)
  check.text('scheduleExpression', expression, { min: 0, max: 256 })
  check.text('eventPattern', pattern, { min: 0, max: 4096 })
  check.oneOf('state', input.State, states)
  check.text('description', input.Description, { min: 0, max: 512 })
  check.text('roleArn', input.RoleArn, { max: 1600 })
  constrainTags(check, input.Tags, tagsMax)
  constrainBus(check, bus)
  check.check()
  if (!expression && !pattern) invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.')
  if (expression && !isDefaultBus(context, bus))
    invalid('ScheduleExpression is supported only on the default event bus.')
  requireDefaultBus(context, bus)
  if (pattern) unsupported('rules with an event pattern', 'Give the rule a ScheduleExpression only.')
  if (input.State === states[2]) unsupported(`the state ${states[2]}`, 'There is no CloudTrail; use ENABLED.')
  timingOf({ scheduleExpression: expression ?? '', ratesFrom: 0 })
}

function timingOf(rule: Pick<Rule, 'scheduleExpression' | 'ratesFrom'>): Timing {
  try {
    return ruleTiming(rule)
  } catch (error) {
    if (error instanceof ScheduleError) invalid('Parameter ScheduleExpression is not valid.')
    throw error
  }
}

/** A rate fires for the first time when it has passed once. */
function nextOf(timing: Timing, state: string, now: number): Pick<Rule, 'next'> {
  const next = state === 'DISABLED' ? undefined : nextDue(timing, now, () => 0)
  return next ? { next } : {}
}

/** Of what is not there nothing is deleted, without an error. */
export const deleteRule: Operation<DeleteRuleRequest, Record<string, never>> = {
  resources: (context, { Name }) => [ruleArnOf(context, Name)],
  run: (context, { Name, EventBusName }) => {
    checkNames(Name, EventBusName)
    requireDefaultBus(context, EventBusName)
    return context.store.update((tx) => {
      const ruleArn = ruleArnOf(context, Name)
      if (tx.count('ruleTarget', 'rule', ruleArn) > 0) invalid("Rule can't be deleted since it has targets.")
      tx.delete('rule', ruleArn)
      tx.delete('resourceTags', ruleArn)
      return {}
    })
  },
}

export const enableRule: Operation<EnableRuleRequest, Record<string, never>> = {
  resources: (context, { Name }) => [ruleArnOf(context, Name)],
  run: (context, input) => setState(context, input, 'ENABLED'),
}

export const disableRule: Operation<DisableRuleRequest, Record<string, never>> = {
  resources: (context, { Name }) => [ruleArnOf(context, Name)],
  run: (context, input) => setState(context, input, 'DISABLED'),
}

function setState(
  context: Context,
  { Name, EventBusName }: EnableRuleRequest,
  state: 'ENABLED' | 'DISABLED',
): Record<string, never> {
  checkNames(Name, EventBusName)
  requireDefaultBus(context, EventBusName)
  return context.store.update((tx) => {
    const { next, ...rule } = resolveRule(tx, context, Name)
    // What was missed while it was disabled is not made up for.
    const standing = state === 'ENABLED' && rule.state === 'ENABLED' && next !== undefined
    const times = standing ? { next } : nextOf(timingOf(rule), state, context.clock.now())
    tx.put('rule', { ...rule, state, ...times })
    return {}
  })
}

export const describeRule: Operation<DescribeRuleRequest, DescribeRuleResponse> = {
  resources: (context, { Name }) => [ruleArnOf(context, Name)],
  run: (context, { Name, EventBusName }) => {
    checkNames(Name, EventBusName)
    requireDefaultBus(context, EventBusName)
    const rule = resolveRule(context.store, context, Name)
    return { ...showRule(rule), CreatedBy: rule.createdBy }
  },
}

export const listRules: Operation<ListRulesRequest, ListRulesResponse> = {
  resources: ({ scope }) => [formatArn(scope, 'events', 'rule/*')],
  run: (context, { NamePrefix = '', EventBusName, NextToken, Limit }) => {
    const check = constraints()
    constrainName(check, 'namePrefix', NamePrefix === '' ? undefined : NamePrefix)
    constrainBus(check, EventBusName)
    check.number('limit', Limit, 1, 100)
    check.check()
    requireDefaultBus(context, EventBusName)
    const { store, scope } = context
    const { rows, nextToken } = schedulePage(
      (after) => named(store.after('rule', 'scope', scopeKey(scope), after), NamePrefix),
      { context, maxResults: Limit, nextToken: NextToken, parameters: { list: 'ListRules', NamePrefix } },
      ({ ruleArn }) => ruleArn,
    )
    return { Rules: rows.map(showRule), ...(nextToken !== undefined && { NextToken: nextToken }) }
  },
}

function* named(rules: Iterable<Rule>, prefix: string): Generator<Rule> {
  for (const rule of rules) if (rule.name.startsWith(prefix)) yield rule
}

function checkNames(name: string | undefined, bus: string | undefined): void {
  const check = constraints()
  constrainName(check, 'name', name)
  constrainBus(check, bus)
  check.check()
}

function showRule({ name, ruleArn, scheduleExpression, state, description, roleArn }: Rule): RuleShape {
  return {
    Name: name,
    Arn: ruleArn,
    State: state,
    ScheduleExpression: scheduleExpression,
    EventBusName: 'default',
    ...(description !== undefined && { Description: description }),
    ...(roleArn !== undefined && { RoleArn: roleArn }),
  }
}
