import type { Resource } from '@aws-sdk/client-ecs'
import { ClusterView } from '#domain/placement/cluster-view.ts'
import { type InstanceLoad, remainingResources } from '#domain/placement/instance-load.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import {
  add,
  type FargateLimits,
  type FargateRoom,
  fits,
  isSpot,
  noRoom,
  placedInCluster,
  roomOf,
  waitsForFargate,
} from '#domain/fargate.ts'
import type { Demand } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'
import type { Change, Projection, Store } from './store.ts'

/**
 * What every container instance has left, derived from the rows of instances and tasks. Being in step within each
 * transaction, a placement sees the tasks that the same transaction has put before it.
 */
export class Fleet implements Projection {
  readonly #clusters = new Map<string, ClusterView>()
  readonly #store: Store
  /** What Fargate tasks hold that are on a host, and what those ask for that wait for one. */
  #fargate = { placed: noRoom, placedSpot: noRoom, waiting: noRoom, waitingSpot: noRoom }

  private constructor(store: Store) {
    this.#store = store
  }

  /** The fleet of a store, from now on kept in step with it. */
  static of(store: Store): Fleet {
    const fleet = new Fleet(store)
    store.project(fleet, ['containerInstance', 'task'])
    return fleet
  }

  /** The instances of a cluster; none when it has none. */
  cluster(clusterArn: string): ClusterView {
    return this.#clusters.get(clusterArn) ?? new ClusterView()
  }

  /** What the instance has left, as DescribeContainerInstances shows it; empty when there is no such instance. */
  remainingResources(containerInstanceArn: string): Resource[] {
    const load = this.instance(containerInstanceArn)
    return load ? remainingResources(load) : []
  }

  /** How many tasks the instance runs, and how many are on their way up. */
  counts(containerInstanceArn: string): {
    readonly runningTasksCount: number
    readonly pendingTasksCount: number
  } {
    const { runningTasksCount = 0, pendingTasksCount = 0 } = this.instance(containerInstanceArn) ?? {}
    return { runningTasksCount, pendingTasksCount }
  }

  /** The instance with its load, in whatever cluster it is. */
  instance(containerInstanceArn: string): InstanceLoad | undefined {
    const row = this.#store.find('containerInstance', containerInstanceArn)
    return row && this.#clusters.get(row.clusterArn)?.find(containerInstanceArn)
  }

  /** What Fargate's hosts may still take, when nothing but what has been placed there counts. */
  fargateLeft(limits: FargateLimits): FargateRoom {
    return add(limits, this.#fargate.placed, -1)
  }

  /**
   * Whether there is Fargate capacity for one more task, those that wait counted. Spot tasks hold what is left over: they
   * are no obstacle to others.
   */
  admitsFargate(demand: Demand, spot: boolean, limits: FargateLimits): boolean {
    const { placed, placedSpot, waiting, waitingSpot } = this.#fargate
    const all = add(placed, waiting)
    const held = spot ? all : add(all, add(placedSpot, waitingSpot), -1)
    return fits(roomOf(demand), add(limits, held, -1))
  }

  apply(change: Change): void {
    if (change.table === 'task') {
      const { before, after } = change as Change<'task'>
      if (before && after && holdsTheSame(before, after)) return
      this.#count(before, -1)
      this.#count(after, 1)
    } else if (change.table === 'containerInstance') {
      const { before, after } = change as Change<'containerInstance'>
      if (before && before.clusterArn !== after?.clusterArn) this.#set(before, undefined)
      if (after) this.#set(after, after)
    }
  }

  #count(task: Task | undefined, sign: 1 | -1): void {
    if (task === undefined || task.lastStatus === 'STOPPED') return
    if (task.launchType === 'FARGATE') this.#countFargate(task, sign)
    if (task.containerInstanceArn === undefined) return
    this.#change(placedInCluster(task), (view) => view.count(task.containerInstanceArn ?? '', task, sign))
  }

  #countFargate(task: Task, sign: 1 | -1): void {
    const kind = waitsForFargate(task) ? 'waiting' : 'placed'
    const room = roomOf(task.demand)
    this.#fargate = {
      ...this.#fargate,
      [kind]: add(this.#fargate[kind], room, sign),
      ...(isSpot(task) && { [`${kind}Spot`]: add(this.#fargate[`${kind}Spot`], room, sign) }),
    }
  }

  #set({ clusterArn, containerInstanceArn }: ContainerInstance, row: ContainerInstance | undefined): void {
    this.#change(clusterArn, (view) => view.setInstance(containerInstanceArn, row))
  }

  #change(clusterArn: string, change: (view: ClusterView) => void): void {
    const known = this.#clusters.get(clusterArn)
    const view = known ?? new ClusterView()
    if (!known) this.#clusters.set(clusterArn, view)
    change(view)
    if (view.empty) this.#clusters.delete(clusterArn)
  }
}

/** Whether nothing changed that an instance's load depends on: most changes of a task are such. */
function holdsTheSame(before: Task, after: Task): boolean {
  return (
    before.lastStatus === after.lastStatus &&
    before.desiredStatus === after.desiredStatus &&
    before.containerInstanceArn === after.containerInstanceArn &&
    before.demand === after.demand &&
    before.group === after.group &&
    before.clusterArn === after.clusterArn
  )
}
