/**
 * Fargate: tasks on hosts that nobody sees. The hosts are embedded instances of an account of Berth's own, registered in
 * a cluster of that account in each region: so no list of anybody else's account ever shows them.
 */
import type { TaskOverride } from '@aws-sdk/client-ecs'
import { formatArn, parseArn, type Scope } from './arn.ts'
import type { Cluster } from './cluster.ts'
import type { InstanceType } from './ec2-instance-type.ts'
import type { Instance } from './instance.ts'
import type { TaskNetwork } from './network-interface.ts'
import type { Demand } from './resources.ts'
import type { TaskDefinition } from './task-definition.ts'
import type { Task } from './task.ts'

/** The account of the pool. No customer has it: AWS gives out none that begins with two zeros and ends in them. */
export const fargateAccountId = '009999999900'
export const fargateClusterName = 'fargate'

/** How much of this machine all Fargate tasks together may take. */
export interface FargateLimits {
  /** CPU units, 1024 a core. Tasks are held to what they asked for, and seldom use it all at once: it may exceed the cores. */
  readonly cpu: number
  readonly memoryMiB: number
  readonly cpuArchitecture: 'x86_64' | 'arm64'
  /** What starts their containers, as hosts' Docker knows it: `runsc`; absent: Docker's own, runc. */
  readonly ociRuntime?: string
}

/** What Fargate tasks take, or ask for. */
export interface FargateRoom {
  readonly cpu: number
  readonly memoryMiB: number
}

export interface FargatePool extends Scope {
  readonly clusterName: string
  readonly clusterArn: string
}

/** The cluster of the hosts of a region. */
export function fargatePool(region: string): FargatePool {
  const scope = { accountId: fargateAccountId, region }
  const clusterArn = formatArn(scope, 'ecs', `cluster/${fargateClusterName}`)
  return { ...scope, clusterName: fargateClusterName, clusterArn }
}

export const isFargateHost = (instance: { readonly accountId: string }): boolean =>
  instance.accountId === fargateAccountId

/** Of Fargate's hosts: `all` that are not terminated, and those that `failed` to start. */
export function fargateHostKey(instance: Instance): 'all' | 'failed' | undefined {
  if (!isFargateHost(instance)) return undefined
  if (instance.state !== 'terminated') return 'all'
  return instance.bootSeen === 0 && instance.stateReason ? 'failed' : undefined
}

/** The cluster of the instance that a task is on: of Fargate's, when that is where it is, else the task's own. */
export function placedInCluster({
  clusterArn,
  containerInstanceArn,
  launchType,
}: Pick<Task, 'clusterArn' | 'containerInstanceArn' | 'launchType'>): Cluster['clusterArn'] {
  if (launchType !== 'FARGATE' || containerInstanceArn === undefined) return clusterArn
  return fargatePool(parseArn(containerInstanceArn)?.region ?? '').clusterArn
}

/** Whether agents of the scope may speak for a task: those of its account; of Fargate's hosts for whatever may be there. */
export function maySpeakFor({ accountId, region }: Scope, task: Task): boolean {
  const isThere = accountId === fargateAccountId && task.launchType === 'FARGATE'
  return task.region === region && (task.accountId === accountId || isThere)
}

/** A Fargate task that waits for a host. */
export function waitsForFargate(task: Task): boolean {
  return (
    task.launchType === 'FARGATE' &&
    task.containerInstanceArn === undefined &&
    task.desiredStatus === 'RUNNING' &&
    task.lastStatus !== 'STOPPED'
  )
}

/** Of a Fargate task that has not STOPPED: whether it waits for a host, is to leave its own, or stays there on Spot. */
export function fargateStanding(task: Task): 'waiting' | 'stopping' | 'spot' | undefined {
  if (task.launchType !== 'FARGATE' || task.lastStatus === 'STOPPED') return undefined
  if (task.desiredStatus === 'STOPPED') return 'stopping'
  return waitsForFargate(task) ? 'waiting' : isSpot(task) ? 'spot' : undefined
}

/** What the Fargate tasks of a group in a zone have in common, as they are spread over zones. */
export function fargateZoneKey(of: Pick<Task, 'clusterArn' | 'group'>, availabilityZone: string): string {
  return `${of.clusterArn} ${availabilityZone} ${of.group}`
}

export const isSpot = ({ capacityProviderName }: Pick<Task, 'capacityProviderName'>): boolean =>
  capacityProviderName === 'FARGATE_SPOT'

export const roomOf = ({ cpu, memoryMiB }: Demand): FargateRoom => ({ cpu, memoryMiB })

export function add(one: FargateRoom, other: FargateRoom, sign: 1 | -1 = 1): FargateRoom {
  return { cpu: one.cpu + sign * other.cpu, memoryMiB: one.memoryMiB + sign * other.memoryMiB }
}

export function fits(demand: FargateRoom, room: FargateRoom): boolean {
  return demand.cpu <= room.cpu && demand.memoryMiB <= room.memoryMiB
}

export const noRoom: FargateRoom = { cpu: 0, memoryMiB: 0 }

/** What the host keeps for itself of its memory. */
export const hostReservedMiB = 256
const families = { x86_64: ['m5', 'r5'], arm64: ['m6g', 'r6g'] } as const
const sizes = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge'] as const

/** The smallest type of host that a task of this demand fits on: at least one that holds several small tasks. */
export function hostTypeFor(
  { cpu, memoryMiB }: FargateRoom,
  cpuArchitecture: FargateLimits['cpuArchitecture'],
  types: ReadonlyMap<string, InstanceType>,
): InstanceType | undefined {
  for (const size of sizes)
    for (const family of families[cpuArchitecture]) {
      const type = types.get(`${family}.${size}`)
      if (type && fits({ cpu, memoryMiB: memoryMiB + hostReservedMiB }, roomOfType(type))) return type
    }
  return undefined
}

export const roomOfType = ({ vcpu, memoryMiB }: InstanceType): FargateRoom => ({
  cpu: vcpu * 1024,
  memoryMiB,
})

/** The platform versions there are, oldest first, and the one that LATEST means. */
export const platforms = {
  linux: { versions: ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0'], latest: '1.4.0' },
  windows: { versions: ['1.0.0'], latest: '1.0.0' },
} as const

export function isWindows({ runtimePlatform }: Pick<TaskDefinition, 'runtimePlatform'>): boolean {
  return runtimePlatform?.operatingSystemFamily?.startsWith('WINDOWS') ?? false
}

/** What every Fargate task has, unless it asks for more. */
const ephemeralStorageGiB = 20

/** What a task for Fargate is asked for with. */
interface FargateRequest {
  readonly platformVersion?: string | undefined
  readonly overrides?: TaskOverride
  readonly network?: TaskNetwork | undefined
}

/** What a task shows because it is on Fargate; `platformVersion` as asked for. */
export function fargateTraits(
  taskDefinition: Pick<TaskDefinition, 'runtimePlatform' | 'ephemeralStorage'>,
  { platformVersion = 'LATEST', overrides, network }: FargateRequest,
): Pick<Task, 'platformVersion' | 'platformFamily' | 'ephemeralStorageGiB' | 'availabilityZone'> {
  const windows = isWindows(taskDefinition)
  const sizeInGiB = overrides?.ephemeralStorage?.sizeInGiB
  return {
    ...(network?.availabilityZone !== undefined && { availabilityZone: network.availabilityZone }),
    platformVersion:
      platformVersion === 'LATEST' ? platforms[windows ? 'windows' : 'linux'].latest : platformVersion,
    platformFamily: windows ? 'Windows' : 'Linux',
    ephemeralStorageGiB: sizeInGiB ?? taskDefinition.ephemeralStorage?.sizeInGiB ?? ephemeralStorageGiB,
  }
}
