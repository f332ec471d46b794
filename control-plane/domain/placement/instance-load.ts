import type { Resource } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { HostPort } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'

/** What placement and the cluster query language may ask of a container instance. */
export interface InstanceFacts {
  readonly instance: ContainerInstance
  /** The attributes by name; one without a value has ''. */
  readonly attributes: ReadonlyMap<string, string>
  /** The groups of its tasks that are to run, with how many there are of each. */
  readonly groups: ReadonlyMap<string, number>
  readonly runningTasksCount: number
}

/** What is free on an instance, in CPU units, MiB, GPUs and network interfaces for tasks. */
export interface Free {
  cpu: number
  memory: number
  gpu: number
  /** Infinity when the instance has not registered how many it can attach. */
  eni: number
}

const kinds = ['cpu', 'memory', 'gpu'] as const

/**
 * A container instance with what its tasks take and leave. It exists as soon as there is the instance or a task on
 * it, so that it depends on the rows only and not on the order in which they came.
 */
export class InstanceLoad {
  readonly arn: string
  /** Its place in the arrays of its cluster's view. */
  readonly slot: number
  instance: ContainerInstance | undefined
  attributes: ReadonlyMap<string, string> = new Map()
  readonly groups = new Map<string, number>()
  /** What the instance has, with nothing on it. */
  readonly registered: Free = { cpu: 0, memory: 0, gpu: 0, eni: Infinity }
  readonly free: Free = { cpu: 0, memory: 0, gpu: 0, eni: Infinity }
  #usedEni = 0
  /** The ids of GPUs that its tasks hold; a task of an older release has none to tell. */
  readonly #heldGpus = new Map<string, number>()
  runningTasksCount = 0
  /** Tasks on their way up: neither RUNNING nor on their way down. */
  pendingTasksCount = 0
  /** Tasks that are not STOPPED. */
  tasksCount = 0
  readonly #reserved = { tcp: new Set<number>(), udp: new Set<number>() }
  /** Host ports of its tasks, with how many hold each. */
  readonly #held = { tcp: new Map<number, number>(), udp: new Map<number, number>() }

  constructor(arn: string, slot: number) {
    this.arn = arn
    this.slot = slot
  }

  setInstance(instance: ContainerInstance | undefined): void {
    this.instance = instance
    this.attributes = new Map(instance?.attributes.map(({ name, value }) => [name ?? '', value ?? '']))
    const resources = instance?.registeredResources ?? []
    const registered = (name: string): Resource | undefined =>
      resources.find((resource) => resource.name === name)
    const now = {
      cpu: registered('CPU')?.integerValue ?? 0,
      memory: registered('MEMORY')?.integerValue ?? 0,
      gpu: registered('GPU')?.stringSetValue?.length ?? 0,
    }
    for (const kind of kinds) {
      this.free[kind] += now[kind] - this.registered[kind]
      this.registered[kind] = now[kind]
    }
    this.registered.eni = instance?.taskInterfacesMax ?? registered('ENI')?.integerValue ?? Infinity
    this.free.eni = this.registered.eni - this.#usedEni
    this.#reserved.tcp = new Set(registered('PORTS')?.stringSetValue?.map(Number))
    this.#reserved.udp = new Set(registered('PORTS_UDP')?.stringSetValue?.map(Number))
  }

  /** Takes what the task takes (`sign` 1), or gives it back (-1). The task must not be STOPPED. */
  count(task: Task, sign: 1 | -1): void {
    const { demand } = task
    this.tasksCount += sign
    this.free.cpu -= sign * demand.cpu
    this.free.memory -= sign * demand.memoryMiB
    this.free.gpu -= sign * demand.gpu
    this.#usedEni += sign * (demand.eni ?? 0)
    this.free.eni = this.registered.eni - this.#usedEni
    for (const { protocol, port } of demand.ports) add(this.#held[protocol], port, sign)
    if (demand.gpu > 0)
      for (const { gpuIds = [] } of task.containers) for (const id of gpuIds) add(this.#heldGpus, id, sign)
    if (task.lastStatus === 'RUNNING') this.runningTasksCount += sign
    else if (task.desiredStatus === 'RUNNING') this.pendingTasksCount += sign
    if (task.desiredStatus === 'RUNNING') add(this.groups, task.group, sign)
  }

  /** Whether a task may take the port. */
  isFree({ protocol, port }: HostPort): boolean {
    return !this.#reserved[protocol].has(port) && !this.#held[protocol].has(port)
  }

  /** Of these GPUs those that are free, as far as tasks tell which they hold. */
  freeGpus(ids: readonly string[]): string[] {
    return ids.filter((id) => !this.#heldGpus.has(id)).slice(0, Math.max(0, this.free.gpu))
  }

  /** How many ports are taken. */
  usedPortsCount(protocol: HostPort['protocol']): number {
    let count = this.#reserved[protocol].size
    for (const port of this.#held[protocol].keys()) if (!this.#reserved[protocol].has(port)) count++
    return count
  }

  /** The ports that are taken, in order. */
  usedPorts(protocol: HostPort['protocol']): number[] {
    const used = new Set([...this.#reserved[protocol], ...this.#held[protocol].keys()])
    return [...used].toSorted((one, other) => one - other)
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

/** The instance's resources less what its tasks take, as DescribeContainerInstances shows them: PORTS lists what is taken. */
export function remainingResources(load: InstanceLoad): Resource[] {
  const { free } = load
  const left: Readonly<Record<string, (resource: Resource) => Partial<Resource>>> = {
    CPU: () => ({ integerValue: Math.max(0, free.cpu) }),
    MEMORY: () => ({ integerValue: Math.max(0, free.memory) }),
    ENI: () => ({ integerValue: Math.max(0, free.eni) }),
    GPU: ({ stringSetValue = [] }) => ({ stringSetValue: load.freeGpus(stringSetValue) }),
    PORTS: () => ({ stringSetValue: load.usedPorts('tcp').map(String) }),
    PORTS_UDP: () => ({ stringSetValue: load.usedPorts('udp').map(String) }),
  }
  return (load.instance?.registeredResources ?? []).map((resource) => ({
    ...resource,
    // A host may name a resource as it likes, `constructor` too.
    ...(Object.hasOwn(left, resource.name ?? '') && left[resource.name ?? '']?.(resource)),
  }))
}
