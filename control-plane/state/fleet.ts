import type { Resource } from '@aws-sdk/client-ecs'
import { ClusterView } from '#domain/placement/cluster-view.ts'
import { type InstanceLoad, remainingResources } from '#domain/placement/instance-load.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Task } from '#domain/task.ts'
import type { Change, Projection, Store } from './store.ts'

/**
 * What every container instance has left, derived from the rows of instances and tasks. Being in step within each
 * transaction, a placement sees the tasks that the same transaction has put before it.
 */
export class Fleet implements Projection {
  readonly #clusters = new Map<string, ClusterView>()
  readonly #store: Store

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
    if (task?.containerInstanceArn === undefined || task.lastStatus === 'STOPPED') return
    this.#change(task.clusterArn, (view) => view.count(task.containerInstanceArn ?? '', task, sign))
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
