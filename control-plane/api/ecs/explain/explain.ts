/** What RunTask, CreateService and UpdateService would do, and why: an API of Berth's own. */
import type { CreateServiceRequest, RunTaskRequest, UpdateServiceRequest } from '@aws-sdk/client-ecs'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { type ExplainedLaunch, explainLaunch, reasonsText, verdictOf } from './explain-launch.ts'
import { explainService } from './explain-service.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { prepareRun, runTask } from '#api/ecs/tasks/run-task.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { updateService } from '#api/ecs/services/service-update.ts'

/** The operations that can be explained, with what each is authorized against. */
export const explainable = { RunTask: runTask, CreateService: createService, UpdateService: updateService }

/** An operation with its input, as the operation itself would be given it. */
export type ExplainRequest =
  | { readonly operation: 'RunTask'; readonly input: RunTaskRequest }
  | { readonly operation: 'CreateService'; readonly input: CreateServiceRequest }
  | { readonly operation: 'UpdateService'; readonly input: UpdateServiceRequest }

export interface Explanation extends Partial<ExplainedLaunch> {
  readonly operation: ExplainRequest['operation']
  /** PLACED: every task that is lacking finds a place; REFUSED: the operation answers with an error. */
  readonly outcome: 'PLACED' | 'PARTLY PLACED' | 'NOT PLACED' | 'REFUSED'
  /** A sentence or two for a person. */
  readonly verdict: string
  /** How many tasks were asked for, or are lacking. */
  readonly tasksCount?: number
  readonly error?: { readonly code: string; readonly message: string }
}

/** Other ids than any that are in use are drawn from it, so that nobody's chance is used up. */
const rehearsalSeed = 0x6265_7274

/** Does what is asked, says what came of it, and undoes it: nothing changes, and nobody is told. */
export function explain(context: Context, request: ExplainRequest): Explanation {
  const rehearsing: Context = { ...context, ids: idsFrom(prng(rehearsalSeed)) }
  const { operation } = request
  const error = refusal(() =>
    context.store.rehearse(() => {
      explainable[operation].run(rehearsing, request.input as never)
    }),
  )
  const explained = attempt(() =>
    context.store.rehearse(() =>
      request.operation === 'RunTask'
        ? explainRun(rehearsing, request.input)
        : explainService(rehearsing, request),
    ),
  )
  if (error) {
    const { name: code, message } = error
    const why = explained && explained.tasks.length === 0 ? reasonsText(explained) : ''
    const verdict = `${operation} would be refused with ${code}: ${message} ${why}`.trim()
    return { ...explained, operation, outcome: 'REFUSED', verdict, error: { code, message } }
  }
  if (!explained) throw new Error('assertion failed: what was not refused can be explained')
  return { operation, outcome: outcomeOf(explained), ...explained }
}

function outcomeOf({ tasks, tasksCount }: { tasks: readonly unknown[]; tasksCount: number }) {
  if (tasks.length >= tasksCount) return 'PLACED'
  return tasks.length > 0 ? 'PARTLY PLACED' : 'NOT PLACED'
}

function explainRun(context: Context, input: RunTaskRequest) {
  return context.store.update((tx) => {
    const cluster = resolveCluster(tx, context, input.cluster)
    const { capacity, launching } = prepareRun(tx, context, cluster, input)
    const launch = explainLaunch(capacity, launching)
    const { count } = launching
    return { tasksCount: count, verdict: verdictOf('RunTask', count, capacity, launch), ...launch }
  })
}

function refusal(act: () => void): AwsError | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
}

/** Undefined when it is refused. */
function attempt<Result>(act: () => Result): Result | undefined {
  try {
    return act()
  } catch (error) {
    if (error instanceof AwsError) return undefined
    throw error
  }
}
