/** What the lifecycle of a service deployment asks of the world, and what it makes of the answers. */
import type { DeploymentLifecycleHookAction } from '@aws-sdk/client-ecs'
import { currentHooks, type HookRun, isOpen, type Lifecycle } from './rollout-lifecycle.ts'

const callBackDelaySecondsDefault = 30
/** How long to wait before asking again how a shift goes that takes its time. */
const shiftPollMs = 5_000

/** What a hook's target answers. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html */
export interface HookAnswer {
  readonly hookStatus?: string
  /** In seconds. */
  readonly callBackDelay?: number
  readonly hookDetails?: unknown
}

/** What the lifecycle asks of the world, and from when on. */
export interface Duties {
  readonly shiftAt?: number
  readonly hooks: readonly HookRun[]
}

export function dutiesOf(lifecycle: Lifecycle): Duties {
  const { shift } = lifecycle
  return {
    ...(shift?.status === 'ASKED' && { shiftAt: shift.askAt }),
    hooks: currentHooks(lifecycle).filter((run) => isOpen(run) && run.invokeAt !== undefined),
  }
}

export type ShiftOutcome = 'DONE' | 'FAILED' | 'IN_PROGRESS'

/** After the shift was asked for at that stage and step. What the lifecycle has left behind is old news. */
export function observeShift(
  lifecycle: Lifecycle,
  { stage, step, rollingBack }: Pick<Lifecycle, 'stage' | 'step' | 'rollingBack'>,
  { outcome, now }: { readonly outcome: ShiftOutcome; readonly now: number },
): Lifecycle {
  const { shift } = lifecycle
  const same = lifecycle.stage === stage && lifecycle.step === step && lifecycle.rollingBack === rollingBack
  if (!same || shift?.status !== 'ASKED') return lifecycle
  if (outcome === 'IN_PROGRESS') return { ...lifecycle, shift: { ...shift, askAt: now + shiftPollMs } }
  const { scattered, ...others } = lifecycle
  // Production traffic that is where it was asked to be is all of it, and with nobody else.
  const isGathered = outcome === 'DONE' && stage !== 'TEST_TRAFFIC_SHIFT'
  return { ...others, ...(scattered && !isGathered && { scattered }), shift: { ...shift, status: outcome } }
}

/** After a hook's target answered, or could not be understood. */
export function observeHook(
  lifecycle: Lifecycle,
  hookId: string,
  { answer, now }: { readonly answer: HookAnswer; readonly now: number },
): Lifecycle {
  return withRun(lifecycle, hookId, (run) => {
    const { hookStatus, callBackDelay = callBackDelaySecondsDefault, hookDetails } = answer
    const { invokeAt: _invokeAt, ...others } = run
    const told = { ...others, ...(hookDetails !== undefined && { hookDetails }) }
    if (hookStatus === 'IN_PROGRESS') return { ...told, invokeAt: now + callBackDelay * 1_000 }
    if (hookStatus === 'SUCCEEDED' || hookStatus === 'FAILED') return { ...told, status: hookStatus }
    const target = lifecycle.plan.hooks[run.hook]?.hookTargetArn
    const why = hookStatus === undefined ? 'must not be null' : `${hookStatus} is not valid`
    const reason = `ECS was unable to parse the response from ${target} due to HookStatus ${why}`
    return { ...told, status: 'FAILED', reason }
  })
}

/** The pause that awaits an action; undefined when that hook does not. */
export function awaitingHook(lifecycle: Lifecycle, hookId: string): HookRun | undefined {
  return currentHooks(lifecycle).find((run) => run.hookId === hookId && run.status === 'AWAITING_ACTION')
}

/** After somebody has said how a pause is to end. */
export function decideHook(
  lifecycle: Lifecycle,
  hookId: string,
  action: DeploymentLifecycleHookAction,
): Lifecycle {
  return withRun(lifecycle, hookId, (run) => ({
    ...run,
    status: action === 'CONTINUE' ? 'SUCCEEDED' : 'FAILED',
  }))
}

function withRun(lifecycle: Lifecycle, hookId: string, change: (run: HookRun) => HookRun): Lifecycle {
  const hooks = lifecycle.hooks.map((run) => (run.hookId === hookId && isOpen(run) ? change(run) : run))
  return { ...lifecycle, hooks }
}

/** What a hook's target said last in this service deployment. */
export function detailsFor({ hooks }: Lifecycle, { hook }: HookRun): unknown {
  return hooks.findLast((run) => run.hook === hook && run.hookDetails !== undefined)?.hookDetails
}

/** How much of the traffic each revision has or is to have, in percent. */
export function weightsOf(
  { sourceRevisionArn, test, production }: Lifecycle,
  kind: 'test' | 'production',
  targetRevisionArn: string,
): ReadonlyArray<{ readonly serviceRevisionArn: string; readonly weight: number }> {
  const weight = kind === 'test' ? test : production
  const target = { serviceRevisionArn: targetRevisionArn, weight }
  if (sourceRevisionArn === undefined) return [target]
  // A tenth of a percent is no binary fraction.
  return [{ serviceRevisionArn: sourceRevisionArn, weight: Math.round((100 - weight) * 10) / 10 }, target]
}
