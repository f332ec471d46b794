import { present } from '@berth/std/assert.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Task } from '#domain/task.ts'
import { InstanceLoad } from './instance-load.ts'
import type { Plan } from './plan.ts'

/** How many places of instances all plans of a cluster together may hold; the ones not used for longest go first. */
const plannedInstancesMax = 2_000_000

/** The instances of one cluster with their tasks: what placement looks at. Kept in step with the rows, change by change. */
export class ClusterView {
  readonly #loads = new Map<string, InstanceLoad>()
  readonly #slots: Array<InstanceLoad | undefined> = []
  readonly #freeSlots: number[] = []
  /** The instances that have tasks of a group which are to run. */
  readonly #byGroup = new Map<string, Set<InstanceLoad>>()
  /** The slots of instances in the order in which they changed, so that each plan catches up when it is used. */
  #changed: number[] = []
  /** How many changes were forgotten that came before those. */
  #forgotten = 0
  /** By slot, the number of its last change: what a plan finds changed more than once it looks at once. */
  readonly #lastChange: number[] = []
  /** In the order of their last use. */
  readonly #plans = new Map<string, Plan>()
  #latest: string | undefined

  /** The instance with its load; undefined when the cluster has no such instance. */
  find(containerInstanceArn: string): InstanceLoad | undefined {
    const load = this.#loads.get(containerInstanceArn)
    return load?.instance && load
  }

  /** The load of a slot that a plan has named. */
  at(slot: number): InstanceLoad | undefined {
    return this.#slots[slot]
  }

  /** Every instance of the cluster, whatever its status. */
  *instances(): Generator<InstanceLoad & { readonly instance: ContainerInstance }> {
    for (const load of this.#loads.values())
      if (load.instance) yield load as InstanceLoad & { readonly instance: ContainerInstance }
  }

  /** The instances with tasks of the group that are to run. */
  instancesOfGroup(group: string): ReadonlySet<InstanceLoad> {
    return this.#byGroup.get(group) ?? new Set()
  }

  setInstance(containerInstanceArn: string, instance: ContainerInstance | undefined): void {
    const load = this.#touch(containerInstanceArn)
    load.setInstance(instance)
    this.#forgetEmpty(load)
  }

  /** Counts a task on its instance (`sign` 1) or no longer (-1). */
  count(containerInstanceArn: string, task: Task, sign: 1 | -1): void {
    const load = this.#touch(containerInstanceArn)
    load.count(task, sign)
    this.#noteGroup(load, task.group)
    this.#forgetEmpty(load)
  }

  /** Nothing is in it any more. */
  get empty(): boolean {
    return this.#loads.size === 0
  }

  /** The plan of that key, made when there is none, and in step with all that has changed. */
  plan(key: string, make: () => Plan): Plan {
    let plan = this.#plans.get(key)
    if (plan) {
      if (key !== this.#latest) {
        this.#plans.delete(key)
        this.#plans.set(key, plan)
      }
      this.#catchUp(plan)
    } else {
      plan = make()
      for (const load of this.#loads.values()) plan.update(load.slot, load)
      plan.seen = this.#forgotten + this.#changed.length
      this.#plans.set(key, plan)
      this.#forgetPlans()
    }
    this.#latest = key
    return plan
  }

  #catchUp(plan: Plan): void {
    const end = this.#changed.length
    for (let at = plan.seen - this.#forgotten; at < end; at++) {
      const slot = present(this.#changed[at], 'a changed slot')
      if (this.#lastChange[slot] === this.#forgotten + at) plan.update(slot, this.#slots[slot])
    }
    plan.seen = this.#forgotten + end
  }

  #forgetPlans(): void {
    const plansMax = Math.max(8, plannedInstancesMax / (this.#slots.length + 1))
    for (const oldest of this.#plans.keys()) {
      if (this.#plans.size <= plansMax) break
      this.#plans.delete(oldest)
    }
  }

  #touch(arn: string): InstanceLoad {
    let load = this.#loads.get(arn)
    if (!load) {
      load = new InstanceLoad(arn, this.#freeSlots.pop() ?? this.#slots.length)
      this.#loads.set(arn, load)
      this.#slots[load.slot] = load
    }
    if (this.#plans.size > 0) this.#noteChanged(load.slot)
    return load
  }

  #noteChanged(slot: number): void {
    this.#lastChange[slot] = this.#forgotten + this.#changed.push(slot) - 1
    if (this.#changed.length <= 1024 + 4 * this.#slots.length) return
    // The older half is forgotten, and with it the plans that had not come so far: they are cheaper made anew.
    const dropped = this.#changed.length >> 1
    this.#changed = this.#changed.slice(dropped)
    this.#forgotten += dropped
    for (const [key, plan] of this.#plans) if (plan.seen < this.#forgotten) this.#plans.delete(key)
  }

  #noteGroup(load: InstanceLoad, group: string): void {
    const loads = this.#byGroup.get(group)
    if (load.groups.has(group)) {
      if (loads) loads.add(load)
      else this.#byGroup.set(group, new Set([load]))
    } else if (loads?.delete(load) && loads.size === 0) this.#byGroup.delete(group)
  }

  #forgetEmpty(load: InstanceLoad): void {
    if (load.instance || load.tasksCount > 0) return
    this.#loads.delete(load.arn)
    this.#slots[load.slot] = undefined
    this.#freeSlots.push(load.slot)
  }
}
