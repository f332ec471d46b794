import type { DeploymentLifecycleHook } from '@aws-sdk/client-ecs'
import { present } from '@berth/std/assert.ts'
import { lifecycleMsMax, type HookRun, type Lifecycle } from '#domain/rollout-lifecycle.ts'
import {
  detailsFor,
  dutiesOf,
  type HookAnswer,
  observeHook,
  observeShift,
  type ShiftOutcome,
  weightsOf,
} from '#domain/rollout-lifecycle-duties.ts'
import { isFinished, type ServiceDeployment } from '#domain/service-deployment.ts'
import type { Transaction, View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** How the traffic of a service is to be shared among its revisions. */
export interface TrafficWeights {
  readonly serviceArn: string
  readonly kind: 'test' | 'production'
  /** In percent, together 100, or all that there is of it. */
  readonly weights: ReadonlyArray<{ readonly serviceRevisionArn: string; readonly weight: number }>
}

/** What shares traffic among revisions. */
export interface Traffic {
  /**
   * Asks for the weights. DONE: they hold. IN_PROGRESS: they will, and are to be asked for again to see when. FAILED: they
   * cannot be had. Asking for the same again changes nothing.
   */
  shift(wanted: TrafficWeights): Promise<ShiftOutcome>
}

/** What a hook's target is told. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html */
export interface HookPayload {
  readonly executionId: string
  readonly lifecycleStage: string
  /** The ARN of the service deployment. */
  readonly resourceArn: string
  readonly executionDetails: {
    readonly serviceArn: string
    readonly targetServiceRevisionArn: string
    readonly testTrafficWeights: Readonly<Record<string, number>>
    readonly productionTrafficWeights: Readonly<Record<string, number>>
  }
  /** Of the configuration, or what the target answered last. */
  readonly hookDetails?: unknown
}

/** What runs the targets of lifecycle hooks. */
export interface Hooks {
  invoke(hook: DeploymentLifecycleHook, payload: HookPayload): Promise<HookAnswer>
}

/** Services have no load balancers yet: there is no traffic to shift, and every share of it holds at once. */
export const noTraffic: Traffic = { shift: () => Promise.resolve('DONE') }
/** Nothing runs functions yet: hooks that need one are refused before they could be invoked. */
export const noHooks: Hooks = { invoke: () => Promise.resolve({ hookStatus: 'FAILED' }) }

type Action =
  | { readonly of: ServiceDeployment; readonly lifecycle: Lifecycle; readonly shift: TrafficWeights }
  | {
      readonly of: ServiceDeployment
      readonly run: HookRun
      readonly hook: DeploymentLifecycleHook
      readonly payload: HookPayload
    }
type Outcome = { readonly shift: ShiftOutcome } | { readonly answer: HookAnswer }

/**
 * Does in the world what the stages of service deployments ask: shifts traffic and invokes hooks. What it learns it writes
 * into their lifecycles, and the service scheduler goes on from there. After a crash it asks again.
 */
export function deploymentActions({
  traffic,
  hooks,
}: {
  readonly traffic: Traffic
  readonly hooks: Hooks
}): Reconciler<Action, Outcome> {
  return {
    name: 'deployment-actions',
    watches: { serviceDeployment: (row) => (row.lifecycle && !isFinished(row) ? row.serviceArn : undefined) },
    periodMs: 30_000,
    everywhere: (view) => view.by('serviceDeployment', 'staged', 'all').map(({ serviceArn }) => serviceArn),
    reconcile(tx, now, places = new Set()) {
      const effects: Action[] = []
      const again: Array<{ place: string; at: number }> = []
      for (const place of places) {
        const { due, nextAt } = actionsAt(tx, place, now)
        effects.push(...due)
        if (nextAt < Infinity) again.push({ place, at: nextAt })
      }
      return { effects, again }
    },
    // What one service deployment asks is done before the next one of the service asks otherwise.
    placeOf: ({ of }) => of.serviceArn,
    perform: async (action) =>
      'shift' in action
        ? { shift: await traffic.shift(action.shift) }
        : { answer: await hooks.invoke(action.hook, action.payload) },
    settle(tx, now, action, outcome) {
      const row = tx.find('serviceDeployment', action.of.serviceDeploymentArn)
      if (!row?.lifecycle || isFinished(row)) return
      const lifecycle = observed(row.lifecycle, action, { outcome, now })
      if (lifecycle !== row.lifecycle) tx.put('serviceDeployment', { ...row, lifecycle, updatedAt: now })
    },
  }
}

function observed(
  lifecycle: Lifecycle,
  action: Action,
  { outcome, now }: { readonly outcome: Outcome; readonly now: number },
): Lifecycle {
  if ('shift' in action && 'shift' in outcome)
    return observeShift(lifecycle, action.lifecycle, { outcome: outcome.shift, now })
  if ('run' in action && 'answer' in outcome)
    return observeHook(lifecycle, action.run.hookId, { answer: outcome.answer, now })
  return lifecycle
}

/** What is to be done at the service now, and when there is more. */
function actionsAt(
  view: View | Transaction,
  serviceArn: string,
  now: number,
): { readonly due: readonly Action[]; readonly nextAt: number } {
  const due: Action[] = []
  let nextAt = Infinity
  const note = (at: number, action: () => Action): void => {
    if (at <= now) due.push(action())
    else nextAt = Math.min(nextAt, at)
  }
  for (const row of view.by('serviceDeployment', 'unfinished', serviceArn)) {
    const { lifecycle } = row
    // One that a newer deployment is about to end asks for nothing more.
    if (!lifecycle || row.status === 'STOP_REQUESTED') continue
    const { shiftAt, hooks } = dutiesOf(lifecycle)
    if (shiftAt !== undefined) note(shiftAt, () => ({ of: row, lifecycle, shift: shiftOf(row, lifecycle) }))
    for (const run of hooks) note(run.invokeAt ?? now + lifecycleMsMax, () => invocation(row, lifecycle, run))
  }
  return { due, nextAt }
}

function shiftOf(
  { serviceArn, targetServiceRevisionArn }: ServiceDeployment,
  lifecycle: Lifecycle,
): TrafficWeights {
  const kind = lifecycle.stage === 'TEST_TRAFFIC_SHIFT' ? 'test' : 'production'
  return { serviceArn, kind, weights: weightsOf(lifecycle, kind, targetServiceRevisionArn) }
}

function invocation(row: ServiceDeployment, lifecycle: Lifecycle, run: HookRun): Action {
  const hook = present(lifecycle.plan.hooks[run.hook], 'the hook of a run')
  const { serviceArn, serviceDeploymentArn, targetServiceRevisionArn } = row
  const weights = (kind: 'test' | 'production'): Readonly<Record<string, number>> =>
    run.stage === `${kind.toUpperCase()}_TRAFFIC_SHIFT`
      ? Object.fromEntries(
          weightsOf(lifecycle, kind, targetServiceRevisionArn).map(({ serviceRevisionArn, weight }) => [
            serviceRevisionArn,
            weight,
          ]),
        )
      : {}
  const hookDetails = detailsFor(lifecycle, run) ?? hook.hookDetails
  return {
    of: row,
    run,
    hook,
    payload: {
      executionId: run.hookId,
      lifecycleStage: run.stage,
      resourceArn: serviceDeploymentArn,
      executionDetails: {
        serviceArn,
        targetServiceRevisionArn,
        testTrafficWeights: weights('test'),
        productionTrafficWeights: weights('production'),
      },
      ...(hookDetails !== undefined && { hookDetails }),
    },
  }
}
