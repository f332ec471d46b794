import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Service } from '@berth/control-plane/domain/service.ts'
import { type ContainerStatus, type Task, taskStatuses } from '@berth/control-plane/domain/task.ts'
import type { TaskDefinition } from '@berth/control-plane/domain/task-definition.ts'
import type { FargateLimits } from '@berth/control-plane/domain/fargate.ts'
import type { Change, Store, View } from '@berth/control-plane/state/store.ts'
import { tables } from '@berth/control-plane/state/tables.ts'
import type { Clock } from '@berth/std/clock.ts'
import { type SeenContainer, startsMax, unmetCondition, wrongEnd } from './container-laws.ts'
import type { JournalDisk } from './disk.ts'
import { brokenDaemonLaw } from './daemon-laws.ts'
import { brokenFargateLaw } from './fargate-laws.ts'
import { brokenTrafficLaw, type Outside } from './outside.ts'
import { brokenBounds } from './rollout-bounds.ts'
import { brokenRolloutLaw } from './rollout-laws.ts'
import { brokenScheduleLaw } from './schedules.ts'
import { brokenProtectionLaw } from './task-protection.ts'

export class Violation extends Error {}

const hourMs = 3_600_000
const containerStatuses: readonly ContainerStatus[] = ['PENDING', 'RUNNING', 'STOPPED']
const rank = (task: Task): number => taskStatuses.indexOf(task.lastStatus)

/** What was acknowledged of a task: it may go on from there, never back. */
interface Floor {
  readonly rank: number
  readonly stopRequested: boolean
  readonly version: number
}

/** The laws that hold at every moment of every scenario, whatever fails. */
export class Checker {
  readonly #clock: Clock
  readonly #disk: JournalDisk
  /** The starts of each container, by task and name. */
  readonly #started = new Map<string, { readonly first: number; readonly count: number }>()
  /** The containers of each revision, and the revision of each task, as they were when they were made. */
  readonly #definitions = new Map<string, readonly ContainerDefinition[]>()
  readonly #revisions = new Map<string, string>()
  readonly #seen: (taskArn: string) => readonly SeenContainer[]
  readonly #outside: Outside | undefined
  readonly #fargate: FargateLimits | undefined
  readonly #floors = new Map<string, Floor>()
  readonly #acknowledgedServices = new Set<string>()

  /** `seen` shows the containers of a task as they are on the hosts. */
  constructor(
    clock: Clock,
    disk: JournalDisk,
    seen: (taskArn: string) => readonly SeenContainer[] = () => [],
    outside?: Outside,
    fargate?: FargateLimits,
  ) {
    this.#outside = outside
    this.#fargate = fargate
    this.#seen = seen
    this.#clock = clock
    this.#disk = disk
  }

  /** A container of a task starts once in its life, or as its restart policy says, and not before what it depends on. */
  containerStarted(taskArn: string, containerName: string, now = this.#clock.now()): void {
    if (!this.#disk.known.has(`task ${taskArn}`))
      throw new Violation(`${taskArn} was started before it was on the disk`)
    const key = `${taskArn} ${containerName}`
    const definition = this.definitionsOf(taskArn).find(({ name }) => name === containerName)
    const { first, count } = this.#started.get(key) ?? { first: now, count: 0 }
    if (count + 1 > startsMax(definition ?? {}, now - first))
      throw new Violation(`the container ${key} was started twice`)
    this.#started.set(key, { first, count: count + 1 })
    const seen = this.#seen(taskArn)
    if (seen.filter(({ name, running }) => running && name === containerName).length > 1)
      throw new Violation(`two containers ${key} are alive`)
    const unmet = definition && unmetCondition(definition, seen)
    if (unmet !== undefined) throw new Violation(`the container ${key} started before ${unmet}`)
  }

  definitionsOf(taskArn: string): readonly ContainerDefinition[] {
    return this.#definitions.get(this.#revisions.get(taskArn) ?? '') ?? []
  }

  /** After each transaction: nothing goes back, no instance holds too much, rollouts stay within their bounds. */
  changed(store: Store, changes: readonly Change[]): void {
    for (const { table, after } of changes)
      if (table === 'taskDefinition' && after) {
        const { taskDefinitionArn, containerDefinitions } = after as TaskDefinition
        this.#definitions.set(taskDefinitionArn, containerDefinitions)
      }
    const tasks = changes.filter((change): change is Change<'task'> => change.table === 'task')
    const instances = new Set<string>()
    for (const { before, after } of tasks) {
      if (!after) continue
      if (before) {
        checkForward(before, after)
        this.#checkEnd(before, after)
      } else this.#revisions.set(after.taskArn, after.taskDefinitionArn)
      if (before?.containerInstanceArn !== after.containerInstanceArn)
        instances.add(after.containerInstanceArn ?? '')
    }
    for (const arn of instances) checkCapacity(store, arn)
    const broken =
      brokenRolloutLaw(store, changes) ??
      brokenDaemonLaw(store, tasks) ??
      brokenProtectionLaw(store, tasks, this.#clock.now()) ??
      brokenScheduleLaw(changes) ??
      (this.#fargate && brokenFargateLaw(store, tasks, this.#fargate)) ??
      (this.#outside && brokenTrafficLaw(store, tasks, this.#outside))
    if (broken !== undefined) throw new Violation(broken)
    for (const [serviceArn, own] of Map.groupBy(
      tasks,
      ({ before, after }) => (after ?? before)?.serviceArn,
    )) {
      const service = serviceArn === undefined ? undefined : store.find('service', serviceArn)
      const beyond =
        service?.schedulingStrategy === 'REPLICA' &&
        brokenBounds(store, service, { changes: own, now: this.#clock.now() })
      if (beyond) throw new Violation(beyond)
    }
  }

  /** When an answer leaves: all that its request changed is on the disk, and stays. */
  acknowledged(changes: readonly Change[]): void {
    for (const { table, before, after } of changes) {
      const key = tables[table].key((after ?? before) as never)
      const stored = this.#disk.rows.get(`${table} ${key}`)?.row
      if (before !== after && stored === before)
        throw new Violation(`${table} ${key} was acknowledged before it was on the disk`)
      if (table === 'service' && after) this.#acknowledgedServices.add(key)
      if (table === 'task' && after) this.#raiseFloor(after as Task)
    }
  }

  /** After a restart, and at the end: what was acknowledged is there. */
  checkKept(view: View): void {
    for (const [taskArn, floor] of this.#floors) {
      const task = view.find('task', taskArn)
      if (!task) {
        if (floor.rank < taskStatuses.indexOf('STOPPED')) throw new Violation(`${taskArn} is lost`)
        continue
      }
      if (rank(task) < floor.rank || task.version < floor.version)
        throw new Violation(`${taskArn} went back to ${task.lastStatus}, version ${task.version}`)
      if (floor.stopRequested && task.desiredStatus === 'RUNNING')
        throw new Violation(`the stop of ${taskArn} was acknowledged and is lost`)
    }
    for (const serviceArn of this.#acknowledgedServices)
      if (!view.find('service', serviceArn)) throw new Violation(`${serviceArn} is lost`)
  }

  /** A task or service whose time was over may be forgotten. */
  forgotten(changes: readonly Change[]): void {
    for (const { table, before, after } of changes) {
      if (after || !before) continue
      if (table === 'task') {
        const { taskArn, stoppedAt = Infinity } = before as Task
        if (this.#clock.now() < stoppedAt + hourMs) throw new Violation(`${taskArn} was forgotten too early`)
        this.#floors.delete(taskArn)
      }
      if (table === 'service') this.#acknowledgedServices.delete((before as Service).serviceArn)
    }
  }

  /** A container that is not essential does not end its task. */
  #checkEnd(before: Task, after: Task): void {
    if (before.lastStatus === 'STOPPED' || after.stopCode !== 'EssentialContainerExited') return
    const wrong = wrongEnd(this.definitionsOf(after.taskArn), this.#seen(after.taskArn))
    if (wrong !== undefined) throw new Violation(`${after.taskArn} stopped, but ${wrong}`)
  }

  #raiseFloor(task: Task): void {
    const known = this.#floors.get(task.taskArn)
    this.#floors.set(task.taskArn, {
      rank: Math.max(rank(task), known?.rank ?? 0),
      version: Math.max(task.version, known?.version ?? 0),
      stopRequested: task.desiredStatus === 'STOPPED' || known?.stopRequested === true,
    })
  }
}

function checkForward(before: Task, after: Task): void {
  const { taskArn } = after
  if (rank(after) < rank(before))
    throw new Violation(`${taskArn} went from ${before.lastStatus} to ${after.lastStatus}`)
  for (const [index, { name, lastStatus }] of after.containers.entries()) {
    const was = before.containers[index]?.lastStatus ?? 'PENDING'
    if (containerStatuses.indexOf(lastStatus) < containerStatuses.indexOf(was))
      throw new Violation(`${name} of ${taskArn} went from ${was} to ${lastStatus}`)
  }
  if (after.version < before.version) throw new Violation(`the version of ${taskArn} went back`)
  if (before.desiredStatus === 'STOPPED' && after.desiredStatus === 'RUNNING')
    throw new Violation(`${taskArn} was to stop and is to run again`)
  if (before.startedAt !== undefined && before.startedAt !== after.startedAt)
    throw new Violation(`${taskArn} was RUNNING and became RUNNING again`)
  if (before.containerInstanceArn !== undefined && before.containerInstanceArn !== after.containerInstanceArn)
    throw new Violation(`${taskArn} moved`)
  const told = before.lastStatus !== after.lastStatus || before.desiredStatus !== after.desiredStatus
  if (told && after.version <= before.version)
    throw new Violation(`${taskArn} went on and its version stayed ${after.version}`)
}

/** Added up anew from the rows, not taken from what placement itself keeps. */
function checkCapacity(view: View, containerInstanceArn: string): void {
  const instance = view.find('containerInstance', containerInstanceArn)
  const registered = (name: string): number =>
    instance?.registeredResources.find((resource) => resource.name === name)?.integerValue ?? 0
  const ports = new Set<string>()
  let cpu = 0
  let memoryMiB = 0
  for (const { demand } of view.by('task', 'containerInstance', containerInstanceArn)) {
    cpu += demand.cpu
    memoryMiB += demand.memoryMiB
    for (const { protocol, port } of demand.ports) {
      const key = `${protocol}:${port}`
      if (ports.has(key)) throw new Violation(`two tasks hold ${key} of ${containerInstanceArn}`)
      ports.add(key)
    }
  }
  if (cpu > registered('CPU') || memoryMiB > registered('MEMORY'))
    throw new Violation(
      `${containerInstanceArn} holds ${cpu} CPU units and ${memoryMiB} MiB, more than it has`,
    )
}
