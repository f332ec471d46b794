import type { Ids } from '@berth/std/id.ts'
import { type Appraisal, appraise, type Essentials, essentialsOf } from '#domain/rollout-standing.ts'
import type { FargateLimits } from '#domain/fargate.ts'
import type { Deployment, Rebalancing, Service, TaskSource } from '#domain/service.ts'
import type { Demand } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'
import { sourceOf, type TaskSet, withLaunches } from '#domain/task-set.ts'
import type { Fleet } from '#state/fleet.ts'
import { refusedTaskRole } from '#state/assume-role.ts'
import { appendServiceEvent, clearTrouble, repeatEventAfterMs, sayTrouble } from '#state/service-events.ts'
import type { Transaction } from '#state/store.ts'
import type { Alarms } from './service-scheduler-alarms.ts'

export interface SchedulerTools {
  readonly ids: Ids
  readonly fleet: Fleet
  /** Absent: there is no Fargate capacity. */
  readonly fargate?: FargateLimits
  /** Tasks may have only roles that ECS may act as. */
  readonly enforcesIam?: true
  /** How long a task without a health check must run before it counts as healthy, in milliseconds. */
  readonly settledAfterMs: number
  /** Without them there are none that could go off. */
  readonly alarms?: Alarms
}

/** One look at one service: its rows, as this look has found and changed them. */
export class ServiceLook {
  readonly tx: Transaction
  readonly now: number
  readonly tools: SchedulerTools
  /** Its tasks that are not STOPPED, as they were found. */
  readonly tasks: readonly Task[]
  /** When there is something to see again though nothing changes: the earliest of what was noted. */
  nextAt = Infinity
  /** The look started, stopped or decided something: what follows from it is for the next look, which it wakes. */
  acted = false
  /** What a task demands that found no place: the service waits for that much room, on instances or on Fargate. */
  unplaced: { readonly demand: Demand; readonly onFargate: boolean } | undefined
  #troubled = false
  #service: Service
  readonly #essentials = new Map<string, Essentials>()

  constructor(tx: Transaction, now: number, tools: SchedulerTools, service: Service) {
    this.tx = tx
    this.now = now
    this.tools = tools
    this.#service = service
    this.tasks = tx.by('task', 'service', service.serviceArn)
  }

  get service(): Service {
    return this.#service
  }

  /** The service's deployments as they now are, newest first. */
  get deployments(): Deployment[] {
    return this.tx
      .by('deployment', 'service', this.service.serviceArn)
      .toSorted((one, other) => other.createdAt - one.createdAt)
  }

  get primary(): Deployment | undefined {
    return this.deployments.find((deployment) => deployment.status === 'PRIMARY')
  }

  /** The deployment that served before: the newest of the older ones that completed. */
  get fallback(): Deployment | undefined {
    return this.deployments.find(
      ({ status, rolloutState }) => status === 'ACTIVE' && rolloutState === 'COMPLETED',
    )
  }

  /** Oldest first. */
  get taskSets(): TaskSet[] {
    return this.tx
      .by('taskSet', 'service', this.service.serviceArn)
      .toSorted((one, other) => one.createdAt - other.createdAt)
  }

  /** The deployment or task set of that id. */
  source(deploymentId: string): TaskSource | undefined {
    const taskSet = this.taskSet(deploymentId)
    return taskSet ? sourceOf(taskSet) : this.tx.find('deployment', deploymentId)
  }

  /** Writes how the launches of a deployment or task set go. */
  putSource(source: TaskSource): void {
    const taskSet = this.taskSet(source.deploymentId)
    if (taskSet) this.tx.put('taskSet', withLaunches(taskSet, source))
    const standing = this.tx.find('deployment', source.deploymentId)
    if (!standing) return
    const { retry: _retry, retryAt: _retryAt, ...deployment } = standing
    this.putDeployment({ ...deployment, ...source })
  }

  /** Who says what happens to the tasks of a deployment or task set. */
  speaker(deploymentId: string): { readonly serviceName: string; readonly taskSetId?: string } {
    const { serviceName } = this.service
    return this.taskSet(deploymentId) ? { serviceName, taskSetId: deploymentId } : { serviceName }
  }

  /** The task set of that id; undefined for the id of a deployment. */
  taskSet(id: string): TaskSet | undefined {
    return this.tx.by('taskSet', 'service', this.service.serviceArn).find((taskSet) => taskSet.id === id)
  }

  /** Whether a task of the deployment or task set was RUNNING when the look began. */
  hasRunning({ deploymentId }: TaskSource): boolean {
    return this.tasks.some((task) => task.deploymentId === deploymentId && task.lastStatus === 'RUNNING')
  }

  putService(service: Service): void {
    this.#service = service
    this.tx.put('service', service)
  }

  putDeployment(deployment: Deployment): void {
    this.tx.put('deployment', { ...deployment, updatedAt: this.now })
  }

  say(message: string): void {
    appendServiceEvent(this.tx, this.service.serviceArn, message, { ids: this.tools.ids, now: this.now })
  }

  /** Says what keeps the service from what it should be; once, for as long as that stays. The first of a look counts. */
  trouble(message: string): void {
    if (this.#troubled) return
    this.#troubled = true
    const said = sayTrouble(this.tx, this.service, message, { ids: this.tools.ids, now: this.now })
    if (said !== this.service) this.putService(said)
  }

  /** Forgets a trouble that this look has not met again, so that it is said when it comes back. */
  settleTrouble(): void {
    if (this.#troubled) return
    const clear = clearTrouble(this.service)
    if (clear !== this.service) this.putService(clear)
  }

  /** Notes how far tasks have been moved between zones; undefined: there is nothing to note. */
  putRebalancing(rebalancing: Rebalancing | undefined): void {
    const { rebalancing: before, ...service } = this.service
    if (before !== undefined || rebalancing !== undefined)
      this.putService({ ...service, ...(rebalancing && { rebalancing }) })
  }

  /** Says that the service is steady, now and again as long as it is. */
  noteSteady(message: string): void {
    const { steadyAt } = this.service
    if (steadyAt === undefined || this.now >= steadyAt + repeatEventAfterMs) {
      this.say(message)
      this.putService({ ...this.service, steadyAt: this.now })
    }
    this.lookAgainAt((this.service.steadyAt ?? this.now) + repeatEventAfterMs)
  }

  noteUnsteady(): void {
    const { steadyAt, ...unsteady } = this.service
    if (steadyAt !== undefined) this.putService(unsteady)
  }

  /** Look again at `timeMs`, should nothing change before. */
  lookAgainAt(timeMs: number): void {
    this.nextAt = Math.min(this.nextAt, timeMs)
  }

  /** Why ECS cannot act as a role of the tasks of a deployment or task set, in AWS's words; undefined when it can. */
  refusedRole({ taskDefinitionArn }: TaskSource): string | undefined {
    if (!this.tools.enforcesIam) return undefined
    const taskDefinition = this.tx.find('taskDefinition', taskDefinitionArn)
    return taskDefinition && refusedTaskRole(this.tx, taskDefinition)
  }

  essentials(taskDefinitionArn: string): Essentials {
    let known = this.#essentials.get(taskDefinitionArn)
    if (!known) {
      const taskDefinition = this.tx.find('taskDefinition', taskDefinitionArn)
      known = essentialsOf(taskDefinition?.containerDefinitions ?? [])
      this.#essentials.set(taskDefinitionArn, known)
    }
    return known
  }

  appraise(task: Task): Appraisal {
    return appraise(task, this.essentials(task.taskDefinitionArn), {
      now: this.now,
      settledAfterMs: this.tools.settledAfterMs,
      graceMs: (this.service.healthCheckGracePeriodSeconds ?? 0) * 1_000,
    })
  }
}
