import type { LaunchType, NetworkBinding, TaskOverride, TaskStopCode } from '@aws-sdk/client-ecs'
import type { Ids } from '@berth/std/id.ts'
import { formatArn, type Scope } from './arn.ts'
import type { Cluster } from './cluster.ts'
import type { ContainerInstance } from './container-instance.ts'
import {
  deletedAttachments,
  observedAttachments,
  precreatedAttachment,
  type TaskAttachment,
  type TaskNetwork,
} from './network-interface.ts'
import { hostModeBindings } from './host-mode-bindings.ts'
import type { ManagedAgent } from './managed-agent.ts'
import { assignGpus } from './gpus.ts'
import type { Demand } from './resources.ts'
import { demandOf, type TaskDefinition } from './task-definition.ts'
import { fargateTraits } from './fargate.ts'
import { applyOverrides, completeOverrides } from './task-overrides.ts'

/** The states a task passes through, in order. A task never goes back: a stopped task is replaced, not restarted. */
export const taskStatuses = [
  'PROVISIONING',
  'PENDING',
  'ACTIVATING',
  'RUNNING',
  'DEACTIVATING',
  'STOPPING',
  'DEPROVISIONING',
  'STOPPED',
] as const
type TaskStatus = (typeof taskStatuses)[number]
export type ContainerStatus = 'PENDING' | 'RUNNING' | 'STOPPED'
export type DesiredStatus = 'RUNNING' | 'STOPPED'
export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'

/** A container of a task, as its agent reports it. */
export interface TaskContainer {
  readonly containerArn: string
  readonly name: string
  readonly image: string
  readonly imageDigest?: string
  readonly runtimeId?: string
  readonly lastStatus: ContainerStatus
  readonly exitCode?: number
  readonly reason?: string
  readonly networkBindings: readonly NetworkBinding[]
  readonly healthStatus: HealthStatus
  /** As shown: CPU units, MiB. */
  readonly cpu: string
  readonly memory?: string
  readonly memoryReservation?: string
  /** Of its instance's GPUs those that are its own. */
  readonly gpuIds?: readonly string[]
  /** Of ECS Exec, once its agent has been heard of. */
  readonly managedAgent?: ManagedAgent
}

export interface Task extends Scope {
  readonly taskArn: string
  readonly clusterArn: string
  readonly taskDefinitionArn: string
  /** Set once, by placement: a task runs there or stops. Absent while PROVISIONING waits for an instance. */
  readonly containerInstanceArn?: string
  readonly availabilityZone?: string
  /** `service:NAME`, `family:NAME` or what the caller said. */
  readonly group: string
  readonly startedBy?: string
  /** Set when a service started it; it belongs to that deployment for life. */
  readonly serviceArn?: string
  readonly deploymentId?: string
  /** Set when a managed daemon started it; it is of that revision for life. */
  readonly daemonArn?: string
  readonly daemonRevisionArn?: string
  readonly launchType: LaunchType
  readonly capacityProviderName?: string
  readonly platformVersion?: string
  readonly platformFamily?: string
  /** Of a Fargate task. */
  readonly ephemeralStorageGiB?: number
  /** Of a task of network mode awsvpc: what its network interface is to be, and what became of it. */
  readonly network?: TaskNetwork
  readonly attachments?: readonly TaskAttachment[]
  readonly enableExecuteCommand: boolean
  readonly cpuArchitecture: 'x86_64' | 'arm64'
  /** As shown; the sum that counts is in `demand`. */
  readonly cpu: string
  readonly memory: string
  readonly demand: Demand
  readonly overrides: TaskOverride

  /** Written by operations and engines, and only from RUNNING to STOPPED, together with the next four. */
  readonly desiredStatus: DesiredStatus
  readonly stopCode?: TaskStopCode
  readonly stoppedReason?: string
  readonly stoppingAt?: number
  /** The agent is asked to stop the task; when it never answers, its instance is gone: see instance-liveness. */

  /** Written from what the agent reports, by `observe*` below; never goes back. */
  readonly lastStatus: TaskStatus
  readonly containers: readonly TaskContainer[]
  readonly healthStatus: HealthStatus
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly startedAt?: number
  readonly executionStoppedAt?: number
  readonly stoppedAt?: number

  /** Set by service-scheduler or daemon-scheduler once it has drawn its conclusions from the end of its task. */
  readonly accounted?: true

  /** Set by UpdateTaskProtection: until then the service scheduler leaves the task alone. Once past, it means nothing. */
  readonly protectedUntil?: number

  readonly connectivity: 'CONNECTED' | 'DISCONNECTED'
  readonly connectivityAt?: number
  readonly createdAt: number
  /** Moves one way: +1 with every change that would emit a task state change event. */
  readonly version: number
}

/** Where a task was placed, as far as the task remembers it. */
export interface TaskPlacement {
  readonly containerInstanceArn: string
  readonly availabilityZone?: string
  readonly cpuArchitecture?: Task['cpuArchitecture']
  readonly freeGpus?: readonly string[]
}

export interface TaskRequest {
  readonly scope: Scope
  readonly cluster: Pick<Cluster, 'clusterArn' | 'clusterName'>
  readonly taskDefinition: TaskDefinition
  readonly ids: Ids
  readonly now: number
  /** Absent while the task waits for an instance: it is then PROVISIONING. */
  readonly placement?: TaskPlacement
  readonly group: string
  readonly startedBy?: string
  /** Set when a service starts the task; `startedBy` is then the deployment. */
  readonly service?: { readonly serviceArn: string; readonly deploymentId: string }
  /** Set when a managed daemon starts the task. */
  readonly daemon?: { readonly daemonArn: string; readonly daemonRevisionArn: string }
  readonly launchType: LaunchType
  /** The provider that a strategy chose. */
  readonly capacityProviderName?: string | undefined
  /** Of Fargate; as asked for. */
  readonly platformVersion?: string | undefined
  readonly overrides?: TaskOverride
  readonly enableExecuteCommand: boolean
  /** Of network mode awsvpc. */
  readonly network?: TaskNetwork | undefined
}

/** What a task placed on `instance` remembers of it. */
export function placedOn(
  instance: Pick<ContainerInstance, 'containerInstanceArn' | 'attributes'>,
): TaskPlacement {
  const attribute = (name: string): string | undefined =>
    instance.attributes.find((candidate) => candidate.name === name)?.value
  const availabilityZone = attribute('ecs.availability-zone')
  return {
    containerInstanceArn: instance.containerInstanceArn,
    ...(availabilityZone !== undefined && { availabilityZone }),
    cpuArchitecture: attribute('ecs.cpu-architecture') === 'arm64' ? 'arm64' : 'x86_64',
  }
}

/** A task that has just been accepted: PENDING on the instance where it was placed, or PROVISIONING without one. */
export function newTask(request: TaskRequest): Task {
  const { scope, cluster, taskDefinition, ids, now, placement, service } = request
  const id = ids.hex(32)
  const effective = applyOverrides(taskDefinition, request.overrides)
  const demand = demandOf(effective)
  const gpus = assignGpus(effective.containerDefinitions, placement?.freeGpus ?? [])
  const startedBy = request.startedBy ?? service?.deploymentId
  const wanted = taskDefinition.runtimePlatform?.cpuArchitecture === 'ARM64' ? 'arm64' : 'x86_64'
  return {
    accountId: scope.accountId,
    region: scope.region,
    taskArn: formatArn(scope, 'ecs', `task/${cluster.clusterName}/${id}`),
    clusterArn: cluster.clusterArn,
    taskDefinitionArn: taskDefinition.taskDefinitionArn,
    ...(placement && { containerInstanceArn: placement.containerInstanceArn }),
    ...(placement?.availabilityZone !== undefined && { availabilityZone: placement.availabilityZone }),
    group: request.group,
    ...(startedBy !== undefined && { startedBy }),
    ...service,
    ...request.daemon,
    launchType: request.launchType,
    ...(request.capacityProviderName !== undefined && { capacityProviderName: request.capacityProviderName }),
    ...(request.launchType === 'FARGATE' && fargateTraits(taskDefinition, request)),
    ...(request.network && {
      network: request.network,
      attachments: [precreatedAttachment(ids.uuid(), request.network.subnets[0])],
    }),
    enableExecuteCommand: request.enableExecuteCommand,
    cpuArchitecture: placement?.cpuArchitecture ?? wanted,
    cpu: String(demand.cpu),
    memory: String(demand.memoryMiB),
    demand,
    overrides: completeOverrides(taskDefinition, request.overrides),
    desiredStatus: 'RUNNING',
    lastStatus: placement ? 'PENDING' : 'PROVISIONING',
    containers: effective.containerDefinitions.map((definition, index) => ({
      containerArn: formatArn(scope, 'ecs', `container/${cluster.clusterName}/${id}/${ids.uuid()}`),
      name: definition.name ?? '',
      image: definition.image ?? '',
      lastStatus: 'PENDING',
      networkBindings: [],
      healthStatus: 'UNKNOWN',
      cpu: String(definition.cpu ?? 0),
      ...(definition.memory !== undefined && { memory: String(definition.memory) }),
      ...(definition.memoryReservation !== undefined && {
        memoryReservation: String(definition.memoryReservation),
      }),
      ...(gpus[index]?.length && { gpuIds: gpus[index] }),
    })),
    healthStatus: 'UNKNOWN',
    connectivity: placement ? 'CONNECTED' : 'DISCONNECTED',
    ...(placement && { connectivityAt: now }),
    createdAt: now,
    version: 1,
  }
}

/** Why a task is stopped, and when it was decided. */
export interface StopCause {
  readonly stopCode: TaskStopCode
  readonly stoppedReason: string
  readonly now: number
}

/**
 * The task with `desiredStatus` STOPPED. The first cause stays: asking again changes nothing. A task that no instance
 * was ever chosen for has nothing to stop, and is STOPPED at once.
 */
export function requestStop(task: Task, cause: StopCause): Task {
  if (task.desiredStatus === 'STOPPED') return task
  const stopping = { ...withCause(task, cause), version: task.version + 1 }
  return task.containerInstanceArn === undefined ? ended(stopping, cause.now) : stopping
}

/** The task of a host that is gone for good: STOPPED, though no agent will ever say so. Nothing is known of exit codes. */
export function loseTask(task: Task, cause: StopCause): Task {
  if (task.lastStatus === 'STOPPED') return task
  return { ...ended(withCause(task, cause), cause.now), version: task.version + 1 }
}

function withCause(task: Task, { stopCode, stoppedReason, now }: StopCause): Task {
  if (task.desiredStatus === 'STOPPED') return task
  return { ...task, desiredStatus: 'STOPPED', stopCode, stoppedReason, stoppingAt: now }
}

function ended(task: Task, now: number): Task {
  return {
    ...task,
    lastStatus: 'STOPPED',
    containers: task.containers.map((container) =>
      container.lastStatus === 'STOPPED' ? container : { ...container, lastStatus: 'STOPPED' },
    ),
    ...(task.attachments && { attachments: deletedAttachments(task.attachments) }),
    stoppedAt: now,
  }
}

/** What an agent says of a container: a change of its state since the agent's last report. */
export interface ContainerReport {
  readonly name: string
  readonly status?: ContainerStatus
  readonly runtimeId?: string
  readonly imageDigest?: string
  readonly exitCode?: number
  readonly reason?: string
  readonly networkBindings?: readonly NetworkBinding[]
}

/** What an agent says of a task. Times are its own clock's; `now` is ours. */
export interface TaskReport {
  readonly now: number
  /** Agents know only these three; absent when only containers are reported. */
  readonly status?: 'PENDING' | 'RUNNING' | 'STOPPED'
  readonly reason?: string
  /** In the order in which it happened: the same container may be in it twice. */
  readonly containers: readonly ContainerReport[]
  /** Ids of attachments that the agent sees on its host. */
  readonly attached?: readonly string[]
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly executionStoppedAt?: number
}

/**
 * The task after its agent reported. A report repeats, fills gaps or brings the task forward; it never takes it back,
 * and what is old news gives the same object. `taskDefinition` tells which ports a container in host mode listens on:
 * Docker reports none there.
 */
export function observeTask(
  task: Task,
  report: TaskReport,
  taskDefinition?: Pick<TaskDefinition, 'networkMode' | 'containerDefinitions'>,
): Task {
  if (task.lastStatus === 'STOPPED') return task
  const observed = observeTimes(
    observeAttachments(observeContainers(task, report.containers, taskDefinition), report),
    report,
  )
  const advanced = observeStatus(observed, report)
  return advanced === task ? task : { ...advanced, version: task.version + 1 }
}

function observeContainers(
  task: Task,
  reports: readonly ContainerReport[],
  taskDefinition: Parameters<typeof observeTask>[2],
): Task {
  let changed = false
  const containers = task.containers.map((container) => {
    const observed = reports
      .filter(({ name }) => name === container.name)
      .reduce((current, report) => observeContainer(current, report, taskDefinition), container)
    changed ||= observed !== container
    return observed
  })
  return changed ? { ...task, containers } : task
}

const containerStatuses: readonly ContainerStatus[] = ['PENDING', 'RUNNING', 'STOPPED']

function observeContainer(
  container: TaskContainer,
  { status: told, networkBindings = [], ...report }: ContainerReport,
  taskDefinition: Parameters<typeof observeTask>[2],
): TaskContainer {
  const status = told ?? container.lastStatus
  const step = containerStatuses.indexOf(status) - containerStatuses.indexOf(container.lastStatus)
  if (step < 0) return container
  const bindings =
    networkBindings.length > 0 || status === 'PENDING'
      ? networkBindings
      : hostModeBindings(container.name, taskDefinition)
  const news = {
    ...(step > 0 && { lastStatus: status }),
    ...(container.runtimeId === undefined && report.runtimeId && { runtimeId: report.runtimeId }),
    ...(container.imageDigest === undefined && report.imageDigest && { imageDigest: report.imageDigest }),
    ...(container.reason === undefined && report.reason && { reason: report.reason }),
    // A container that is RUNNING may have died meanwhile; its exit code comes again with STOPPED and counts only then.
    ...(container.exitCode === undefined &&
      told === 'STOPPED' &&
      report.exitCode !== undefined && { exitCode: report.exitCode }),
    ...(container.networkBindings.length === 0 && bindings.length > 0 && { networkBindings: bindings }),
  }
  return Object.keys(news).length === 0 ? container : { ...container, ...news }
}

function observeAttachments(task: Task, report: TaskReport): Task {
  const running = task.containers.some(({ lastStatus }) => lastStatus === 'RUNNING')
  const attachments = observedAttachments(task.attachments, running, report.attached)
  return attachments && attachments !== task.attachments ? { ...task, attachments } : task
}

function observeTimes(task: Task, report: TaskReport): Task {
  const names = ['pullStartedAt', 'pullStoppedAt', 'executionStoppedAt'] as const
  const missing = names.filter((name) => task[name] === undefined && report[name] !== undefined)
  if (missing.length === 0) return task
  return { ...task, ...Object.fromEntries(missing.map((name) => [name, report[name]])) }
}

function observeStatus(task: Task, { status, reason, now }: TaskReport): Task {
  if (status === undefined || taskStatuses.indexOf(status) <= taskStatuses.indexOf(task.lastStatus))
    return task
  if (status === 'RUNNING') return { ...task, lastStatus: 'RUNNING', startedAt: now }
  if (status === 'PENDING') return { ...task, lastStatus: 'PENDING' }
  return ended(withCause(task, { ...ownCause(task, reason), now }), now)
}

/**
 * Why a task stopped that nobody asked to stop. The agent does not say: it reports containers. A container that could
 * not be started decides, unless the task was RUNNING once.
 */
function ownCause(task: Task, reason: string | undefined): Omit<StopCause, 'now'> {
  const failed = task.containers.find(neverStarted)
  if (task.startedAt === undefined && failed?.reason !== undefined)
    return { stopCode: 'TaskFailedToStart', stoppedReason: failed.reason }
  const ran = task.startedAt !== undefined || task.containers.some(({ exitCode }) => exitCode !== undefined)
  return ran
    ? { stopCode: 'EssentialContainerExited', stoppedReason: reason || 'Essential container in task exited' }
    : { stopCode: 'TaskFailedToStart', stoppedReason: reason || 'Task failed to start' }
}

/** Docker gives a container that it could create but not start an exit code too. */
function neverStarted({ exitCode, reason }: TaskContainer): boolean {
  return (
    reason !== undefined && (exitCode === undefined || /^Cannot(?:Pull|Create|Start)\w*Error/.test(reason))
  )
}
