import type { RunTaskRequest, RunTaskResponse, Task as TaskShape } from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Idempotency } from '#domain/identity.ts'
import type { Transaction, View } from '#state/store.ts'
import { type Capacity, checkPlatformOf, chooseCapacity } from '#api/ecs/capacity/capacity-choice.ts'
import { recall, remember, type TokenRequest } from '#api/ecs/idempotency.ts'
import { type Launching, launchOn } from './launch-on-capacity.ts'
import { checkNetworkParts } from './network-checks.ts'
import { checkConstraints, checkLaunchType, checkStrategies, refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { showTask } from './show-task.ts'
import { hasFargateFor } from '#state/fargate-capacity.ts'
import {
  checkLaunch,
  demandOfLaunch,
  launchResources,
  putTask,
  requirementsOfLaunch,
} from './start-task-checks.ts'

const countMax = 10
const startedByLengthMax = 128
const hourMs = 3_600_000

/** Starts tasks where there is room. What finds none is a failure in the answer, not an error. */
export const runTask: Operation<RunTaskRequest, RunTaskResponse> = {
  resources: launchResources,
  run: (context, input) => {
    checkCount(input)
    const now = context.clock.now()
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const request = tokenRequest(context, cluster, input)
      const known = request && recall(tx, request, now, (first) => isStanding(tx, first, now))
      if (known) return replay(tx, known)
      const { capacity, launching } = prepareRun(tx, context, cluster, input)
      const { tasks, failures } = launchOn(capacity, launching)
      if (request)
        remember(tx, request, {
          resourceArns: tasks.map(({ taskArn }) => taskArn),
          failures,
          expiresAt: now + (tasks.length > 0 ? 24 * hourMs : hourMs),
          reviewAt: now + hourMs,
        })
      return { tasks: tasks.map((task) => showTask(task, tx)), failures: [...failures] }
    })
  },
}

/** What RunTask does, its token aside, in a transaction of the caller's. What it throws, it throws before it writes. */
export function startTasks(
  tx: Transaction,
  context: Context,
  input: RunTaskRequest,
): ReturnType<typeof launchOn> {
  checkCount(input)
  const cluster = resolveCluster(tx, context, input.cluster)
  const { capacity, launching } = prepareRun(tx, context, cluster, input)
  return launchOn(capacity, launching)
}

/** The launch type is checked before the cluster is looked for, as AWS does. */
function checkCount({ count = 1, launchType }: RunTaskRequest): void {
  if (count < 1 || count > countMax) refuse(`count must be between 1 and ${countMax}.`)
  checkLaunchType(launchType)
}

/** The tasks of a request that has been found good, as they are to be placed. Throws what AWS answers for one that is not. */
export function prepareRun(
  tx: Transaction,
  context: Context,
  cluster: Cluster,
  input: RunTaskRequest,
): { readonly capacity: Capacity; readonly launching: Launching } {
  const both = 'Specify either Launch Type or Capacity Provider Strategy, but not both.'
  const capacity = chooseCapacity(tx, context, cluster, input, both)
  const { launchType } = capacity
  const launch = checkLaunch(tx, context, cluster, input, { startedByLengthMax, launchType })
  checkPlatformOf(launch.taskDefinition, capacity, input)
  const constraints = checkConstraints(input.placementConstraints, launch.taskDefinition)
  const strategies = checkStrategies(input.placementStrategy)
  checkNetworkParts(tx, context.scope, input.networkConfiguration)
  const launching: Launching = {
    view: context.fleet.cluster(cluster.clusterArn),
    cluster,
    count: input.count ?? 1,
    request: (capacityProviderName) => ({
      ...requirementsOfLaunch(launch, { launchType, capacityProviderName }, constraints),
      strategies,
      fraction: () => context.ids.fraction(),
    }),
    put: (place) =>
      putTask(tx, context, launch, { launchType, platformVersion: input.platformVersion, ...place }),
    admits: (capacityProviderName) =>
      hasFargateFor(context.fleet, launch.taskDefinition, context.installation.fargate, {
        demand: demandOfLaunch(launch),
        capacityProviderName,
      }),
  }
  return { capacity, launching }
}

/** A token is good within its cluster. How the cluster was named makes no other request of it. */
function tokenRequest(
  { scope }: Context,
  { clusterArn }: Cluster,
  { clientToken, ...parameters }: RunTaskRequest,
): TokenRequest | undefined {
  if (clientToken === undefined) return undefined
  if (!/^[!-~]{1,64}$/.test(clientToken))
    refuse('clientToken must have 1 to 64 characters in the range of ASCII 33-126.')
  return {
    scope,
    place: `RunTask ${clusterArn}`,
    clientToken,
    parameters: { ...parameters, cluster: undefined },
  }
}

/** A token is remembered until an hour after the last of its tasks has stopped; a day at most. */
function isStanding(view: View, { resourceArns }: Idempotency, now: number): boolean {
  if (resourceArns.length === 0) return true
  return resourceArns.some((arn) => {
    const task = view.find('task', arn)
    return task && (task.stoppedAt === undefined || now < task.stoppedAt + hourMs)
  })
}

/** The answer to a request seen before: its tasks as they are now, of stopped ones the least. */
function replay(view: View, { resourceArns, failures = [] }: Idempotency): RunTaskResponse {
  const tasks = resourceArns.flatMap((arn): TaskShape[] => {
    const task = view.find('task', arn)
    if (!task) return []
    const { taskArn, lastStatus, desiredStatus } = task
    return [lastStatus === 'STOPPED' ? { taskArn, lastStatus, desiredStatus } : showTask(task, view)]
  })
  return { tasks, failures: [...failures] }
}
