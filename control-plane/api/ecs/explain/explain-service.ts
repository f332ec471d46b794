/** Where the tasks of a service would go that it lacks, or one more of them. */
import type { Context } from '#api/operation.ts'
import { launchTypeOf } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import { defaultServiceStrategy, type PlacementRequest } from '#domain/placement/place.ts'
import { controllerOf, type Service } from '#domain/service.ts'
import { demandOf, type TaskDefinition } from '#domain/task-definition.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { newTask } from '#domain/task.ts'
import { findProviderType } from '#state/capacity-providers.ts'
import type { Transaction, View } from '#state/store.ts'
import { placementOn } from '#state/task-placement.ts'
import { hasFargateFor } from '#state/fargate-capacity.ts'
import { zonesOfSubnets } from '#state/subnet-zones.ts'
import type { Capacity } from '#api/ecs/capacity/capacity-choice.ts'
import type { ExplainRequest } from './explain.ts'
import { type ExplainedLaunch, explainLaunch, verdictOf } from './explain-launch.ts'
import type { Launching } from '#api/ecs/tasks/launch-on-capacity.ts'
import { arnInCluster, findTaskDefinition, resolveCluster } from '#api/ecs/resolve.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { resolveService } from '#api/ecs/services/service-reference.ts'
import { updateService } from '#api/ecs/services/service-update.ts'

/** The service scheduler starts as many at a look; more are not gone through. */
const tasksMax = 500

interface ExplainedService extends ExplainedLaunch {
  readonly tasksCount: number
  readonly verdict: string
}

/** Creates or changes the service, in a rehearsal, and explains where its tasks would go. */
export function explainService(
  context: Context,
  request: Exclude<ExplainRequest, { operation: 'RunTask' }>,
): ExplainedService {
  if (request.operation === 'CreateService') createService.run(context, request.input)
  else updateService.run(context, request.input)
  const { input } = request
  const ref = request.operation === 'CreateService' ? request.input.serviceName : request.input.service
  return context.store.update((tx) => {
    const cluster = resolveCluster(tx, context, input.cluster)
    const service = resolveService(tx, cluster, arnInCluster(cluster, 'service', ref ?? ''))
    const what = `The service ${service.serviceName}`
    const taskDefinition = findTaskDefinition(tx, context, service.taskDefinitionArn)
    if (controllerOf(service) !== 'ECS' || !taskDefinition)
      return { ...nothing, verdict: `${what} has its tasks started by task sets, which say where.` }
    return explainTasks(tx, context, { cluster, service, taskDefinition })
  })
}

const nothing = { tasks: [], failures: [], placements: [], tasksCount: 0 }

interface Explained {
  readonly cluster: Cluster
  readonly service: Service
  readonly taskDefinition: TaskDefinition
}

function explainTasks(tx: Transaction, context: Context, explained: Explained): ExplainedService {
  const { service } = explained
  const what = `The service ${service.serviceName}`
  const capacity = capacityOf(tx, service)
  const standing = tx
    .by('task', 'service', service.serviceArn)
    .filter(({ desiredStatus }) => desiredStatus === 'RUNNING')
  if (service.schedulingStrategy === 'DAEMON') return explainDaemon(tx, context, explained, standing.length)
  const lacking = Math.min(tasksMax, service.desiredCount - standing.length)
  const count = Math.max(1, lacking)
  const launch = explainLaunch(capacity, launchingOf(tx, context, explained, capacity, count))
  if (lacking > 0) return { ...launch, tasksCount: count, verdict: verdictOf(what, count, capacity, launch) }
  const more = verdictOf('One more', 1, capacity, launch).replace(
    'One more would place the task',
    'One more would go',
  )
  return {
    ...launch,
    tasks: [],
    failures: [],
    tasksCount: 0,
    verdict: `${what} has its ${service.desiredCount} tasks. ${more}`,
  }
}

/** Each instance that can take a task gets one; a task on one leaves the others as they are. */
function explainDaemon(
  tx: Transaction,
  context: Context,
  explained: Explained,
  standing: number,
): ExplainedService {
  const capacity = capacityOf(tx, explained.service)
  const { placements } = explainLaunch(capacity, launchingOf(tx, context, explained, capacity, 0))
  const tasks = placements.flatMap(({ instances }) =>
    instances
      .filter(({ place }) => place !== undefined)
      .map(({ containerInstanceArn }) => ({ containerInstanceArn })),
  )
  const verdict = `The service ${explained.service.serviceName} keeps one task on each instance: ${tasks.length} more would be started, and ${standing} stand.`
  return { tasks, failures: [], placements, tasksCount: tasks.length, verdict }
}

function capacityOf(view: View, service: Service): Capacity {
  const { capacityProviderStrategy: strategy = [], launchType = 'EC2' } = service
  const [first] = strategy
  if (!first) return { launchType }
  const type = findProviderType(view, service, first.capacityProvider ?? '')
  return { launchType: type === undefined ? 'EC2' : launchTypeOf(type), strategy }
}

function launchingOf(
  tx: Transaction,
  context: Context,
  { cluster, service, taskDefinition }: Explained,
  { launchType }: Capacity,
  count: number,
): Launching {
  const group = `service:${service.serviceName}`
  return {
    view: context.fleet.cluster(cluster.clusterArn),
    cluster,
    count,
    request: (capacityProviderName): PlacementRequest => ({
      ...requirementsOf(taskDefinition, {
        demand: demandOf(taskDefinition),
        group,
        launchType: launchType === 'EXTERNAL' ? 'EXTERNAL' : 'EC2',
        capacityProviderName,
        constraints: constraintsOf(service),
        enableExecuteCommand: service.enableExecuteCommand,
        zones: zonesOfSubnets(tx, service.networkConfiguration),
      }),
      strategies: strategiesOf(service),
      fraction: () => context.ids.fraction(),
    }),
    put: ({ containerInstanceArn, capacityProviderName }) => {
      const instance = tx.find('containerInstance', containerInstanceArn ?? '')
      const placement = instance
        ? placementOn(tx, instance)
        : containerInstanceArn && { containerInstanceArn }
      const task = newTask({
        scope: service,
        cluster,
        taskDefinition,
        ids: context.ids,
        now: context.clock.now(),
        ...(placement && { placement }),
        group,
        launchType,
        capacityProviderName,
        enableExecuteCommand: service.enableExecuteCommand,
      })
      tx.put('task', task)
      return task
    },
    admits: (capacityProviderName) =>
      hasFargateFor(context.fleet, taskDefinition, context.installation.fargate, {
        demand: demandOf(taskDefinition),
        capacityProviderName,
      }),
  }
}

/** A daemon's tasks go one on each instance, which is as if each had to be the only one there. */
function constraintsOf({
  schedulingStrategy,
  placementConstraints,
}: Service): PlacementRequest['constraints'] {
  return schedulingStrategy === 'DAEMON'
    ? [...placementConstraints, { type: 'distinctInstance' }]
    : placementConstraints
}

function strategiesOf({ schedulingStrategy, placementStrategy }: Service): PlacementRequest['strategies'] {
  if (schedulingStrategy === 'DAEMON') return []
  return placementStrategy.length > 0 ? placementStrategy : defaultServiceStrategy
}
