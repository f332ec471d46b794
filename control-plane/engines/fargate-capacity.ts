/** Gives Fargate tasks their hosts, and keeps as many hosts as the tasks need. */
import type { Ids } from '@berth/std/id.ts'
import { present } from '@berth/std/assert.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import {
  add,
  type FargateLimits,
  fargatePool,
  type FargatePool,
  type FargateRoom,
  fits,
  hostReservedMiB,
  hostTypeFor,
  isFargateHost,
  isSpot,
  noRoom,
  roomOf,
  roomOfType,
} from '#domain/fargate.ts'
import { type Instance, instanceState } from '#domain/instance.ts'
import { firstBoot, instanceIdentity } from '#domain/instance-launch.ts'
import { placeTask } from '#domain/placement/place.ts'
import { requestStop, type Task } from '#domain/task.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import type { Fleet } from '#state/fleet.ts'
import type { Transaction, View } from '#state/store.ts'
import { freeAddress } from '#state/vpc.ts'
import type { Reconciler } from './reconciler.ts'

/** A host without tasks is kept for so long: the next task then starts at once. */
const idleMsDefault = 5 * 60_000
/** A host whose agent has not come, or has been away, for so long is given up. */
const silentMs = 120_000
const noCapacityText =
  'Capacity is unavailable at this time. Please try again later or in a different availability zone'
/** All there is to look at is one pool. */
const pool = 'pool'

export interface FargateTools {
  readonly fleet: Fleet
  readonly ids: Ids
  readonly limits: FargateLimits
  readonly idleMs?: number
}

/**
 * Places the tasks that wait for Fargate: on-demand ones first, each group spread over the hosts there are. What finds no
 * place waits for hosts that are on their way, or brings one about. Where the machine has no more to give, Spot tasks make
 * way for on-demand ones. A host that has had no tasks for a while is terminated. Where no host can be started, the tasks
 * that wait for one end, so that nothing is tried for ever: services try again after growing pauses.
 */
export function fargateCapacity({ idleMs = idleMsDefault, ...tools }: FargateTools): Reconciler {
  /** Since when hosts have had nothing to do; a restart of the control plane begins anew. */
  const idleSince = new Map<string, number>()
  /** Hosts that could not be started, and of which the tasks that waited for them have been told. */
  let told: ReadonlySet<string> | undefined
  return {
    name: 'fargate-capacity',
    watches: {
      task: (row) => (row.launchType === 'FARGATE' ? pool : undefined),
      containerInstance: (row) => (isFargateHost(row) ? pool : undefined),
      instance: (row) => (isFargateHost(row) ? pool : undefined),
    },
    everywhere: () => [pool],
    periodMs: 30_000,
    paceMs: 20,
    reconcile(tx, now) {
      const failed = tx.by('instance', 'fargate', 'failed')
      const news = failed.filter(({ instanceId }) => told && !told.has(instanceId))
      told = new Set(failed.map(({ instanceId }) => instanceId))
      const look = new PoolLook(tx, now, tools, news)
      look.placeAll()
      const again = look.giveBack(idleSince, idleMs)
      return { again: again.map((at) => ({ place: pool, at })) }
    },
  }
}

/** A host on its way: its room can be promised, but no task put there yet. */
interface Coming {
  readonly region: string
  room: FargateRoom
}

class PoolLook {
  readonly #tx: Transaction
  readonly #now: number
  readonly #tools: FargateTools
  readonly #hosts: readonly Instance[]
  readonly #coming: Coming[]
  readonly #failed: readonly Instance[]

  /** `failed` are hosts of which it has just shown that they cannot be started. */
  constructor(tx: Transaction, now: number, tools: FargateTools, failed: readonly Instance[]) {
    this.#failed = failed
    this.#tx = tx
    this.#now = now
    this.#tools = tools
    this.#hosts = tx.by('instance', 'fargate', 'all').filter(({ desiredState }) => desiredState === 'running')
    this.#coming = this.#hosts
      .filter((host) => !isServing(tx, host))
      .map((host) => ({ region: host.region, room: hostRoom(host.instanceType) }))
  }

  placeAll(): void {
    const { fleet, limits } = this.#tools
    let left = fleet.fargateLeft(limits)
    let lacking = noRoom
    for (const task of waitingTasks(this.#tx)) {
      const room = roomOf(task.demand)
      if (!fits(room, left)) {
        if (!isSpot(task)) lacking = add(lacking, room)
        continue
      }
      left = add(left, room, -1)
      this.#place(task)
    }
    if (lacking !== noRoom) this.#preempt(add(lacking, left, -1))
  }

  #place(task: Task): void {
    const { fleet, ids } = this.#tools
    const { clusterArn } = fargatePool(task.region)
    const { cpu, memoryMiB } = task.demand
    const placement = placeTask(fleet.cluster(clusterArn), {
      demand: { cpu, memoryMiB, ports: [], gpu: 0 },
      group: task.group,
      launchType: 'EC2',
      requiresAttributes: [],
      constraints: [],
      strategies: [{ type: 'spread', field: 'instanceId' }],
      fraction: () => ids.fraction(),
    })
    if ('failures' in placement) return this.#bringHost(task)
    this.#tx.put('task', {
      ...task,
      containerInstanceArn: placement.containerInstanceArn,
      lastStatus: 'PENDING',
      connectivity: 'CONNECTED',
      connectivityAt: this.#now,
      version: task.version + 1,
    })
  }

  /** Promises the room to a host on its way, or launches one; unless that has just failed: then the task ends. */
  #bringHost(task: Task): void {
    const { region } = task
    const room = roomOf(task.demand)
    const host = this.#coming.find((one) => one.region === region && fits(room, one.room))
    if (host) {
      host.room = add(host.room, room, -1)
      return
    }
    const failed = this.#failed.find((one) => one.region === region)
    if (failed) {
      const stoppedReason = `${noCapacityText} (no host could be started: ${failed.stateReason?.message})`
      const cause = { stopCode: 'TaskFailedToStart', stoppedReason, now: this.#now } as const
      return this.#tx.put('task', requestStop(task, cause))
    }
    const { cpuArchitecture } = this.#tools.limits
    const type = hostTypeFor(room, cpuArchitecture, instanceTypes)
    if (!type) return
    launchHost(this.#tx, this.#tools, fargatePool(region), type.instanceType, this.#now)
    this.#coming.push({ region, room: add(hostRoom(type.instanceType), room, -1) })
  }

  /** Interrupts the youngest Spot tasks until there will be that much more room. */
  #preempt(lacking: FargateRoom): void {
    let missing = lacking
    for (const task of this.#tx.by('task', 'fargate', 'stopping'))
      missing = add(missing, roomOf(task.demand), -1)
    const youngest = this.#tx.by('task', 'fargate', 'spot').toReversed()
    for (const task of youngest) {
      if (fits(missing, noRoom)) return
      missing = add(missing, roomOf(task.demand), -1)
      const stoppedReason = 'Your Spot Task was interrupted.'
      this.#tx.put('task', requestStop(task, { stopCode: 'SpotInterruption', stoppedReason, now: this.#now }))
    }
  }

  /** Terminates hosts that have been idle or silent for too long; returns when the next may be. */
  giveBack(idleSince: Map<string, number>, idleMs: number): number[] {
    const deadlines: number[] = []
    for (const host of this.#hosts) {
      const { instanceId } = host
      const { since, deadline } = this.#uselessSince(host, idleSince, idleMs)
      if (since === undefined) idleSince.delete(instanceId)
      else {
        idleSince.set(instanceId, since)
        if (this.#now >= deadline) terminate(this.#tx, host)
        else deadlines.push(deadline)
      }
    }
    const known = new Set(this.#hosts.map(({ instanceId }) => instanceId))
    for (const instanceId of idleSince.keys()) if (!known.has(instanceId)) idleSince.delete(instanceId)
    return deadlines
  }

  #uselessSince(
    host: Instance,
    idleSince: ReadonlyMap<string, number>,
    idleMs: number,
  ): { readonly since: number | undefined; readonly deadline: number } {
    const since = idleSince.get(host.instanceId) ?? this.#now
    if (!isServing(this.#tx, host)) return { since, deadline: since + silentMs }
    const [instance] = this.#tx.by('containerInstance', 'ec2Instance', host.instanceId)
    const busy = this.#tx.count('task', 'containerInstance', instance?.containerInstanceArn ?? '') > 0
    return { since: busy ? undefined : since, deadline: since + idleMs }
  }
}

/** On-demand tasks before Spot ones, and the older first. */
function waitingTasks(view: View): readonly Task[] {
  return view
    .by('task', 'fargate', 'waiting')
    .toSorted((one, other) => Number(isSpot(one)) - Number(isSpot(other)) || one.createdAt - other.createdAt)
}

/** Tasks can be put on the host: its agent is there. */
function isServing(view: View, { instanceId }: Instance): boolean {
  return view
    .by('containerInstance', 'ec2Instance', instanceId)
    .some(({ status, agentConnected }) => status === 'ACTIVE' && agentConnected)
}

function hostRoom(instanceType: string): FargateRoom {
  const type = present(instanceTypes.get(instanceType), `instance type ${instanceType}`)
  return add(roomOfType(type), { cpu: 0, memoryMiB: hostReservedMiB }, -1)
}

/** Until it is gone, nothing more is put there. */
function terminate(tx: Transaction, host: Instance): void {
  for (const row of tx.by('containerInstance', 'ec2Instance', host.instanceId))
    if (row.status === 'ACTIVE')
      tx.put('containerInstance', { ...row, status: 'DRAINING', version: row.version + 1 })
  const ended: Instance = { ...host, desiredState: 'terminated' }
  tx.put('instance', { ...ended, state: instanceState(ended) })
}

function launchHost(
  tx: Transaction,
  { ids, limits }: FargateTools,
  { accountId, region, clusterArn, clusterName }: FargatePool,
  instanceType: string,
  now: number,
): void {
  const scope = { accountId, region }
  if (!tx.find('cluster', clusterArn))
    tx.put('cluster', {
      ...scope,
      clusterArn,
      clusterName,
      status: 'ACTIVE',
      settings: [],
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
      createdAt: now,
    })
  const { subnets, securityGroup } = ensureDefaultNetwork(tx, scope)
  const [subnet] = subnets.toSorted(
    (one, other) =>
      tx.count('instance', 'subnet', one.subnetId) - tx.count('instance', 'subnet', other.subnetId),
  )
  const free = subnet && freeAddress(tx, subnet, () => ids.fraction())
  if (!subnet || free === undefined) return
  tx.put('instance', {
    ...scope,
    ...instanceIdentity(ids, subnet, free, false),
    reservationId: `r-0${ids.hex(16)}`,
    launchIndex: 0,
    imageId: 'fargate',
    instanceType,
    securityGroupIds: [securityGroup.groupId],
    userData: Buffer.from(settings(clusterName, limits)).toString('base64'),
    launchTime: now,
    metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    ...firstBoot,
  })
}

/** What the agent of a host reads. */
function settings(clusterName: string, { ociRuntime }: FargateLimits): string {
  return [
    `ECS_CLUSTER=${clusterName}`,
    `ECS_RESERVED_MEMORY=${hostReservedMiB}`,
    'ECS_ENABLE_TASK_CPU_MEM_LIMIT=true',
    'ECS_AWSVPC_BLOCK_IMDS=true',
    'ECS_DISABLE_PRIVILEGED=true',
    'BERTH_FARGATE_HOST=true',
    ...(ociRuntime === undefined ? [] : [`BERTH_OCI_RUNTIME=${ociRuntime}`]),
  ].join('\n')
}
