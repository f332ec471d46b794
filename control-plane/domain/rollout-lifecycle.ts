/**
 * The stages of a service deployment that shifts traffic from the source revision (blue) to the target revision (green):
 * the strategies BLUE_GREEN, LINEAR and CANARY. A lifecycle is a row's member, so that a restart at any moment goes on.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
 */
import type {
  DeploymentConfiguration,
  DeploymentLifecycleHook,
  DeploymentLifecycleHookAction,
  DeploymentLifecycleHookStatus,
  ServiceDeploymentLifecycleStage,
} from '@aws-sdk/client-ecs'
import type { Ids } from '@berth/std/id.ts'

/** AWS documents one stage more than the SDK's type has. */
export type Stage = ServiceDeploymentLifecycleStage | 'PRE_PRODUCTION_TRAFFIC_SHIFT'

export interface Lifecycle {
  readonly plan: LifecyclePlan
  readonly begunAt: number
  readonly stage: Stage
  /** When it came to the stage. */
  readonly since: number
  /** Which of the plan's steps of production traffic it is at; they count from 0. */
  readonly step: number
  /** How much of the traffic goes to the target revision, or is to go there, in percent. */
  readonly test: number
  readonly production: number
  /** What serves until the target does; absent when nothing that completed has served before. */
  readonly sourceRevisionArn?: string
  /** How far the shift of the stage has come, and when to ask for it, or to ask again how it goes. */
  readonly shift?: { readonly status: 'ASKED' | 'DONE' | 'FAILED'; readonly askAt: number }
  /** When the bake time of the stage, or of the step, is over. */
  readonly bakesUntil?: number
  /** Every run of a hook so far. */
  readonly hooks: readonly HookRun[]
  /** Traffic goes back to the source, and the target goes. */
  readonly rollingBack?: true
  /** Revisions other than the source and the target may have traffic still, of a deployment that did not end. */
  readonly scattered?: true
}

/** What the service's configuration said when the service deployment started. Times are in milliseconds. */
interface LifecyclePlan {
  /** How much of the production traffic the target has after each step, in percent; the last is 100. */
  readonly steps: readonly number[]
  readonly stepBakeMs: number
  readonly bakeMs: number
  readonly hooks: readonly DeploymentLifecycleHook[]
}

export interface HookRun {
  readonly hookId: string
  /** Which of the plan's hooks it is a run of. */
  readonly hook: number
  readonly stage: Stage
  readonly step: number
  readonly rollingBack?: true
  readonly status: DeploymentLifecycleHookStatus
  readonly expiresAt: number
  /** When to invoke the target, again or for the first time. A pause has none. */
  readonly invokeAt?: number
  /** What the target answered last: it is given that with the next invocation. */
  readonly hookDetails?: unknown
  /** Why it failed. */
  readonly reason?: string
}

/** How things stand with the tasks. */
export interface LifecycleFacts {
  readonly desiredCount: number
  readonly targetHealthy: number
  readonly sourceHealthy: number
  /** Only the source revision has tasks. */
  readonly reconciled: boolean
}

interface Tools {
  readonly ids: Ids
  readonly now: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const stageMsMax = 24 * hourMs
export const lifecycleMsMax = 30 * 24 * hourMs
const hookMsDefault = 24 * hourMs

const stages: readonly Stage[] = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
]
const shifting: readonly Stage[] = ['RECONCILE_SERVICE', 'TEST_TRAFFIC_SHIFT', 'PRODUCTION_TRAFFIC_SHIFT']

export function isStaged({ strategy = 'ROLLING' }: DeploymentConfiguration): boolean {
  return strategy !== 'ROLLING'
}

export function hasReached({ stage }: Pick<Lifecycle, 'stage'>, other: Stage): boolean {
  return stages.indexOf(stage) >= stages.indexOf(other)
}

/** After each step so much production traffic goes to the target, in percent. */
export function stepsOf({
  strategy,
  linearConfiguration: { stepPercent = 10 } = {},
  canaryConfiguration: { canaryPercent = 5 } = {},
}: DeploymentConfiguration): readonly number[] {
  // In tenths of a percent, which whole numbers can count exactly.
  const tenths = Math.round((strategy === 'LINEAR' ? stepPercent : canaryPercent) * 10)
  if (strategy === 'CANARY') return tenths >= 1_000 ? [100] : [tenths / 10, 100]
  if (strategy !== 'LINEAR') return [100]
  return Array.from({ length: Math.ceil(1_000 / tenths) }, (_, index) =>
    Math.min(100, ((index + 1) * tenths) / 10),
  )
}

function planOf(configuration: DeploymentConfiguration, hasSource: boolean): LifecyclePlan {
  const { strategy, linearConfiguration, canaryConfiguration, bakeTimeInMinutes = 0 } = configuration
  const stepBakeMinutes =
    strategy === 'LINEAR'
      ? (linearConfiguration?.stepBakeTimeInMinutes ?? 6)
      : (canaryConfiguration?.canaryBakeTimeInMinutes ?? 10)
  return {
    // Where nothing has served there is no traffic to be careful with.
    steps: hasSource ? stepsOf(configuration) : [100],
    stepBakeMs: stepBakeMinutes * minuteMs,
    bakeMs: bakeTimeInMinutes * minuteMs,
    hooks: configuration.lifecycleHooks ?? [],
  }
}

/** At its first stage. With more than one revision in the service it is first brought back to the source. */
export function beginLifecycle(
  configuration: DeploymentConfiguration,
  {
    sourceRevisionArn,
    severalRevisions,
    ...tools
  }: Tools & { readonly sourceRevisionArn: string | undefined; readonly severalRevisions: boolean },
): Lifecycle {
  const blank: Lifecycle = {
    plan: planOf(configuration, sourceRevisionArn !== undefined),
    begunAt: tools.now,
    stage: 'PRE_SCALE_UP',
    since: tools.now,
    step: 0,
    test: 0,
    production: 0,
    ...(sourceRevisionArn !== undefined && { sourceRevisionArn }),
    hooks: [],
    ...(severalRevisions && { scattered: true }),
  }
  return enter(blank, severalRevisions ? 'RECONCILE_SERVICE' : 'PRE_SCALE_UP', tools)
}

/**
 * Back to that revision: production traffic first, that of third revisions too, then test traffic, then the tasks of all
 * others.
 */
export function beginWayBack(
  lifecycle: Lifecycle,
  { sourceRevisionArn, ...tools }: Tools & { readonly sourceRevisionArn: string | undefined },
): Lifecycle {
  const back: Lifecycle = {
    ...lifecycle,
    ...(sourceRevisionArn !== undefined && { sourceRevisionArn }),
    rollingBack: true,
  }
  return enter(
    back,
    back.production > 0 || back.scattered ? 'SCALE_UP' : back.test > 0 ? 'TEST_TRAFFIC_SHIFT' : 'CLEAN_UP',
    tools,
  )
}

function enter(lifecycle: Lifecycle, stage: Stage, { ids, now }: Tools): Lifecycle {
  const { shift: _shift, bakesUntil: _bakesUntil, ...others } = lifecycle
  const { plan, step, rollingBack } = lifecycle
  return {
    ...others,
    stage,
    since: now,
    ...(stage === 'TEST_TRAFFIC_SHIFT' && { test: rollingBack ? 0 : 100 }),
    ...(stage === 'PRODUCTION_TRAFFIC_SHIFT' && { production: rollingBack ? 0 : (plan.steps[step] ?? 100) }),
    ...(isShift(lifecycle, stage) && { shift: { status: 'ASKED', askAt: now } as const }),
    ...(stage === 'BAKE_TIME' && { bakesUntil: now + plan.bakeMs }),
    hooks: [...lifecycle.hooks, ...hooksAt({ ...lifecycle, stage }, { ids, now })],
  }
}

/** Where nothing has served before, there is nothing that all traffic could be brought back to. */
function isShift({ sourceRevisionArn }: Lifecycle, stage: Stage): boolean {
  return shifting.includes(stage) && (stage !== 'RECONCILE_SERVICE' || sourceRevisionArn !== undefined)
}

function hooksAt({ plan, stage, step, rollingBack }: Lifecycle, { ids, now }: Tools): readonly HookRun[] {
  return plan.hooks.flatMap(
    ({ lifecycleStages = [], targetType = 'AWS_LAMBDA', timeoutConfiguration }, hook) => {
      // On the way back the shifts alone are told of: there is nothing any more to wait for.
      if (!lifecycleStages.some((one) => one === stage) || (rollingBack && !shifting.includes(stage)))
        return []
      const { timeoutInMinutes } = timeoutConfiguration ?? {}
      const pause = targetType === 'PAUSE'
      return {
        hookId: `ecs-${pause ? 'pause' : 'lambda'}-${ids.hex(16)}`,
        hook,
        stage,
        step,
        ...(rollingBack && { rollingBack }),
        status: pause ? ('AWAITING_ACTION' as const) : ('IN_PROGRESS' as const),
        expiresAt: now + (timeoutInMinutes === undefined ? hookMsDefault : timeoutInMinutes * minuteMs),
        ...(!pause && { invokeAt: now }),
      }
    },
  )
}

/** The runs of hooks that the lifecycle is at. */
export function currentHooks({ hooks, stage, step, rollingBack }: Lifecycle): readonly HookRun[] {
  return hooks.filter((run) => run.stage === stage && run.step === step && run.rollingBack === rollingBack)
}

export function isOpen({ status }: HookRun): boolean {
  return status === 'AWAITING_ACTION' || status === 'IN_PROGRESS'
}

export function timeoutActionOf({ plan }: Lifecycle, { hook }: HookRun): DeploymentLifecycleHookAction {
  return plan.hooks[hook]?.timeoutConfiguration?.action ?? 'ROLLBACK'
}

export interface Advance {
  readonly lifecycle: Lifecycle
  /** Why it cannot go on. */
  readonly failure?: string
  /** When there is something to see again though nothing changes. */
  readonly lookAt?: number
}

/**
 * Goes on through every stage that is done. Traffic is shifted only while the target has all its tasks, so that the
 * revision that gets it can bear it. CLEAN_UP ends when the caller sees the other tasks gone.
 */
export function advance(lifecycle: Lifecycle, facts: LifecycleFacts, tools: Tools): Advance {
  let current = closeExpired(lifecycle, tools.now)
  for (;;) {
    const failure = failureOf(current, tools.now)
    if (failure !== undefined) return { lifecycle: current, failure }
    current = startStepBake(current, tools.now)
    if (current.stage === 'CLEAN_UP') return { lifecycle: current }
    if (!isDone(current, facts, tools.now)) return { lifecycle: current, lookAt: nextLook(current) }
    const next = following(current)
    current = enter({ ...current, step: next.step }, next.stage, tools)
  }
}

function closeExpired(lifecycle: Lifecycle, now: number): Lifecycle {
  if (!currentHooks(lifecycle).some((run) => isOpen(run) && now >= run.expiresAt)) return lifecycle
  const hooks = lifecycle.hooks.map((run) =>
    isOpen(run) && now >= run.expiresAt ? { ...run, status: 'TIMED_OUT' as const } : run,
  )
  return { ...lifecycle, hooks }
}

/** What ends a service deployment; on the way back hooks do not. The first two texts are AWS's as far as they are known. */
function failureOf(lifecycle: Lifecycle, now: number): string | undefined {
  const { stage, shift, rollingBack, begunAt } = lifecycle
  const because = 'Service deployment rolled back because'
  const runs = rollingBack ? [] : currentHooks(lifecycle)
  const failed = runs.find(({ status }) => status === 'FAILED')
  if (failed)
    return `${because} ${stage} lifecycle hook(s) failed.${failed.reason === undefined ? '' : ` ${failed.reason}`}`
  const late = runs.some(
    (run) => run.status === 'TIMED_OUT' && timeoutActionOf(lifecycle, run) === 'ROLLBACK',
  )
  if (late) return `${because} ${stage} lifecycle hook(s) timed out.`
  if (shift?.status === 'FAILED') return `${because} the traffic could not be shifted at ${stage}.`
  if (stage === 'CLEAN_UP') return undefined
  if (now >= stageDeadline(lifecycle)) return `${because} ${stage} was not over within 24 hours.`
  if (!rollingBack && now >= begunAt + lifecycleMsMax) return `${because} it was not over within 30 days.`
  return undefined
}

/** A bake time or a pause may be as long as the longest stage, or longer: then it is not that which has failed. */
function stageDeadline(lifecycle: Lifecycle): number {
  const { since, bakesUntil = since } = lifecycle
  const waits = currentHooks(lifecycle).map(({ expiresAt }) => expiresAt)
  return Math.max(since, bakesUntil, ...waits) + stageMsMax
}

function isSettled(lifecycle: Lifecycle): boolean {
  return currentHooks(lifecycle).every((run) => !isOpen(run))
}

/** Between two steps the traffic stays as it is for a while; after the last there is nothing to wait for. */
function startStepBake(lifecycle: Lifecycle, now: number): Lifecycle {
  const { stage, shift, step, plan, bakesUntil, rollingBack } = lifecycle
  const waits =
    stage === 'PRODUCTION_TRAFFIC_SHIFT' &&
    shift?.status === 'DONE' &&
    isSettled(lifecycle) &&
    !rollingBack &&
    step < plan.steps.length - 1 &&
    bakesUntil === undefined
  return waits ? { ...lifecycle, bakesUntil: now + plan.stepBakeMs } : lifecycle
}

function isDone(lifecycle: Lifecycle, facts: LifecycleFacts, now: number): boolean {
  const { stage, shift, bakesUntil = now, rollingBack } = lifecycle
  const isWhole = facts.targetHealthy >= facts.desiredCount
  if (!isSettled(lifecycle) || (shift && shift.status !== 'DONE') || now < bakesUntil) return false
  if (stage === 'RECONCILE_SERVICE') return facts.reconciled
  // Traffic leaves a revision that is given up as soon as there is something to take it.
  if (rollingBack) return stage !== 'SCALE_UP' || facts.sourceHealthy >= Math.min(1, facts.desiredCount)
  return isWhole || !['SCALE_UP', 'PRE_PRODUCTION_TRAFFIC_SHIFT', 'BAKE_TIME'].includes(stage)
}

function following({ stage, step, plan, test, rollingBack }: Lifecycle): Pick<Lifecycle, 'stage' | 'step'> {
  if (rollingBack) {
    if (stage === 'SCALE_UP') return { stage: 'PRODUCTION_TRAFFIC_SHIFT', step }
    return {
      stage: stage === 'PRODUCTION_TRAFFIC_SHIFT' && test > 0 ? 'TEST_TRAFFIC_SHIFT' : 'CLEAN_UP',
      step,
    }
  }
  if (stage === 'PRODUCTION_TRAFFIC_SHIFT' && step < plan.steps.length - 1)
    return { stage: 'PRE_PRODUCTION_TRAFFIC_SHIFT', step: step + 1 }
  return { stage: stages[stages.indexOf(stage) + 1] ?? 'CLEAN_UP', step }
}

function nextLook(lifecycle: Lifecycle): number {
  const open = currentHooks(lifecycle).filter(isOpen)
  return Math.min(
    stageDeadline(lifecycle),
    lifecycle.rollingBack ? Infinity : lifecycle.begunAt + lifecycleMsMax,
    lifecycle.bakesUntil ?? Infinity,
    ...open.map(({ expiresAt }) => expiresAt),
  )
}
