import type { RunTaskRequest, RunTaskResponse, Task as TaskShape } from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Idempotency } from '#domain/identity.ts'
import { type PlacementFailure, placeTask } from '#domain/placement/place.ts'
import type { Task } from '#domain/task.ts'
import type { Transaction, View } from '#state/store.ts'
import { recall, remember, type TokenRequest } from './idempotency.ts'
import {
  checkCapacityProviderStrategy,
  checkConstraints,
  checkLaunchType,
  checkNetwork,
  checkStrategies,
  refuse,
  requireInstances,
} from './placement-checks.ts'
import { resolveCluster, resolveTaskDefinition } from './resolve.ts'
import { showTask } from './show-task.ts'
import { checkLaunch, launchResources, putTask, requirementsOfLaunch } from './start-task-checks.ts'

const countMax = 10
const startedByLengthMax = 128
const hourMs = 3_600_000

/** Starts tasks where there is room. What finds none is a failure in the answer, not an error. */
export const runTask: Operation<RunTaskRequest, RunTaskResponse> = {
  resources: launchResources,
  run: (context, input) => {
    const count = input.count ?? 1
    if (count < 1 || count > countMax) refuse(`count must be between 1 and ${countMax}.`)
    const now = context.clock.now()
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const request = tokenRequest(context, cluster, input)
      const known = request && recall(tx, request, now)
      if (known && isStanding(tx, known, now)) return replay(tx, known)
      const { tasks, failures } = runTasks(tx, context, cluster, input, count)
      if (request)
        remember(tx, request, {
          resourceArns: tasks.map(({ taskArn }) => taskArn),
          failures,
          expiresAt: now + (tasks.length > 0 ? 24 * hourMs : hourMs),
        })
      return { tasks: tasks.map((task) => showTask(task, tx)), failures: [...failures] }
    })
  },
}

function runTasks(
  tx: Transaction,
  context: Context,
  cluster: Cluster,
  input: RunTaskRequest,
  count: number,
): { tasks: Task[]; failures: readonly PlacementFailure[] } {
  const launchType = chooseLaunchType(tx, context, cluster, input)
  const launch = checkLaunch(tx, context, cluster, input, { startedByLengthMax, launchType })
  const constraints = checkConstraints(input.placementConstraints, launch.taskDefinition)
  const strategies = checkStrategies(input.placementStrategy)
  const requirements = requirementsOfLaunch(launch, launchType, constraints)
  const tasks: Task[] = []
  while (tasks.length < count) {
    const placement = placeTask(context.fleet.cluster(cluster.clusterArn), {
      ...requirements,
      strategies,
      fraction: () => context.ids.fraction(),
    })
    if ('failures' in placement) {
      if (placement.failures.length === 0) refuse('No Container Instances were found in your cluster.')
      return { tasks, failures: placement.failures }
    }
    tasks.push(putTask(tx, context, launch, { launchType, ...placement }))
  }
  return { tasks, failures: [] }
}

/** Throws what AWS says of what does not go together, and for capacity that Berth does not have. */
function chooseLaunchType(
  view: View,
  context: Context,
  cluster: Cluster,
  input: RunTaskRequest,
): 'EC2' | 'EXTERNAL' {
  const { launchType, capacityProviderStrategy: asked = [] } = input
  checkLaunchType(launchType)
  if (launchType !== undefined && asked.length > 0)
    refuse('Specify either Launch Type or Capacity Provider Strategy, but not both.')
  const strategy =
    asked.length > 0 || launchType !== undefined ? asked : cluster.defaultCapacityProviderStrategy
  if (strategy.length > 0) checkCapacityProviderStrategy(cluster, strategy)
  if (launchType === 'FARGATE') checkFargate(view, context, input)
  else if (input.platformVersion !== undefined && strategy.length === 0)
    refuse('The platform version must be null when specifying an EC2 launch type.')
  requireInstances(launchType, strategy)
  return launchType === 'EXTERNAL' ? 'EXTERNAL' : 'EC2'
}

function checkFargate(view: View, context: Context, input: RunTaskRequest): void {
  const taskDefinition = resolveTaskDefinition(view, context, input.taskDefinition ?? '')
  checkNetwork(taskDefinition, input.networkConfiguration, 'FARGATE')
  if (!taskDefinition.compatibilities.includes('FARGATE'))
    refuse('Task definition does not support launch_type FARGATE.')
  if ((input.placementConstraints ?? []).length > 0)
    refuse('Placement constraints are not supported with FARGATE launch type.')
  if ((input.placementStrategy ?? []).length > 0)
    refuse('Placement strategies are not supported with FARGATE launch type.')
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
