import { present } from '@berth/std/assert.ts'
import type { Ids } from '@berth/std/id.ts'
import { arnName } from '#domain/arn.ts'
import { daemonPlace } from '#domain/daemon-place.ts'
import { type DaemonPlace, isDesired } from '#domain/daemon-plan.ts'
import { type Daemon, type DaemonDeployment, daemonGroup, type DaemonRevision } from '#domain/daemon.ts'
import { type Requirements, suits } from '#domain/placement/admission.ts'
import type { InstanceLoad } from '#domain/placement/instance-load.ts'
import { refusal } from '#domain/placement/place.ts'
import { appraise, type Essentials, essentialsOf } from '#domain/rollout-standing.ts'
import type { Standing } from '#domain/rollout.ts'
import { demandOf, type TaskDefinition } from '#domain/task-definition.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { taskTags } from '#domain/task-tags.ts'
import { newTask, requestStop, type Task } from '#domain/task.ts'
import type { Fleet } from '#state/fleet.ts'
import { refusedTaskRole } from '#state/assume-role.ts'
import { hasOnlyDaemons } from '#state/only-daemons.ts'
import type { Transaction } from '#state/store.ts'
import { placementOn } from '#state/task-placement.ts'

export interface DaemonTools {
  readonly ids: Ids
  readonly fleet: Fleet
  /** Tasks may have only roles that ECS may act as. */
  readonly enforcesIam?: true
  /** How long a task without a health check must run before it counts as healthy, in milliseconds. */
  readonly settledAfterMs: number
}

/** One look at one daemon: its rows, as this look has found and changed them. */
export class DaemonLook {
  readonly tx: Transaction
  readonly now: number
  readonly tools: DaemonTools
  /** Its tasks that are not STOPPED, as they were found. */
  readonly tasks: readonly Task[]
  /** When there is something to see again though nothing changes. */
  nextAt = Infinity
  /** The look started or stopped something: what follows from it is for the next look, which it wakes. */
  acted = false
  #daemon: Daemon
  #deployment: DaemonDeployment

  constructor(tx: Transaction, now: number, tools: DaemonTools, daemon: Daemon) {
    this.tx = tx
    this.now = now
    this.tools = tools
    this.#daemon = daemon
    this.#deployment = present(
      tx.find('daemonDeployment', daemon.deploymentArn),
      'the deployment of a daemon',
    )
    this.tasks = tx.by('task', 'daemon', daemon.daemonArn)
  }

  get daemon(): Daemon {
    return this.#daemon
  }

  /** The most recent one. */
  get deployment(): DaemonDeployment {
    return this.#deployment
  }

  /** What the daemon should be. */
  get revision(): DaemonRevision {
    return present(this.tx.find('daemonRevision', this.#daemon.daemonRevisionArn), 'the revision of a daemon')
  }

  putDaemon(daemon: Daemon): void {
    this.#daemon = daemon
    this.tx.put('daemon', daemon)
  }

  putDeployment(deployment: DaemonDeployment): void {
    this.#deployment = deployment
    this.tx.put('daemonDeployment', deployment)
  }

  /** Look again at `timeMs`, should nothing change before. */
  lookAgainAt(timeMs: number): void {
    this.nextAt = Math.min(this.nextAt, timeMs)
  }

  essentials(taskDefinitionArn: string): Essentials {
    return essentialsOf(this.tx.find('taskDefinition', taskDefinitionArn)?.containerDefinitions ?? [])
  }

  /** What its tasks that are to run are worth. */
  standings(): readonly Standing[] {
    const { now, tools } = this
    return this.tasks
      .filter(({ desiredStatus }) => desiredStatus === 'RUNNING')
      .map((task) => {
        const { phase, healthyAt } = appraise(task, this.essentials(task.taskDefinitionArn), {
          now,
          settledAfterMs: tools.settledAfterMs,
          graceMs: 0,
        })
        if (healthyAt !== undefined) this.lookAgainAt(healthyAt)
        return { taskArn: task.taskArn, deploymentId: task.daemonRevisionArn ?? '', phase, draining: false }
      })
  }

  /** Every instance of its capacity providers, and what else has tasks of it. */
  places(standings: readonly Standing[]): readonly DaemonPlace[] {
    const { tx, tools, revision } = this
    const fitting = new Map<string, (load: InstanceLoad) => boolean>()
    for (const name of revision.capacityProviderArns.map(arnName)) {
      const isOfItsKind = suits(this.#requirements(name))
      for (const row of tx.by('containerInstance', 'capacityProvider', `${revision.clusterArn} ${name}`))
        fitting.set(row.containerInstanceArn, isOfItsKind)
    }
    const tasksOn = Map.groupBy(this.tasks, ({ containerInstanceArn = '' }) => containerInstanceArn)
    const common = {
      fits: (load: InstanceLoad) => fitting.get(load.arn)?.(load) === true,
      standings: new Map(standings.map((task) => [task.taskArn, task])),
      isAlone: (arn: string) => hasOnlyDaemons(tx, arn),
    }
    return [...new Set([...fitting.keys(), ...tasksOn.keys()])].map((arn) =>
      daemonPlace({
        ...common,
        containerInstanceArn: arn,
        load: tools.fleet.instance(arn),
        tasks: tasksOn.get(arn) ?? [],
      }),
    )
  }

  /** Of the instances that should have a task, those without any that have no room for one. */
  crowded(places: readonly DaemonPlace[]): ReadonlySet<string> {
    const view = this.tools.fleet.cluster(this.#daemon.clusterArn)
    const empty = places.filter((place) => isDesired(place) && place.tasks.length === 0 && !place.leaving)
    return new Set(
      empty
        .map(({ containerInstanceArn }) => containerInstanceArn)
        .filter((arn) => {
          const name = view.find(arn)?.instance?.capacityProviderName ?? ''
          return refusal(view, arn, this.#requirements(name)) !== undefined
        }),
    )
  }

  /** Whether ECS may not act as a role of the daemon's tasks. */
  get isRoleRefused(): boolean {
    const { tx, tools } = this
    return tools.enforcesIam === true && refusedTaskRole(tx, this.#taskDefinition()) !== undefined
  }

  /** Asks a task to stop. What this engine stops needs no conclusions when it has ended. */
  stop(taskArn: string, stoppedReason: string): void {
    const task = this.tx.find('task', taskArn)
    if (!task) return
    this.acted = true
    const cause = { stopCode: 'ServiceSchedulerInitiated', stoppedReason, now: this.now } as const
    this.tx.put('task', { ...requestStop(task, cause), accounted: true })
  }

  /** Puts a task of the daemon's revision on the instance, which must have room for it. */
  start(containerInstanceArn: string): void {
    const { tx, tools, now, daemon, revision, deployment } = this
    const cluster = present(tx.find('cluster', daemon.clusterArn), 'the cluster of a daemon')
    const instance = present(tx.find('containerInstance', containerInstanceArn), 'the instance of a place')
    const task = newTask({
      scope: daemon,
      cluster,
      taskDefinition: this.#taskDefinition(),
      ids: tools.ids,
      now,
      placement: placementOn(tx, instance),
      group: daemonGroup(daemon.daemonName),
      startedBy: arnName(deployment.daemonDeploymentArn),
      daemon: { daemonArn: daemon.daemonArn, daemonRevisionArn: revision.daemonRevisionArn },
      launchType: 'MANAGED_INSTANCES',
      capacityProviderName: instance.capacityProviderName,
      enableExecuteCommand: revision.enableExecuteCommand,
    })
    this.acted = true
    tx.put('task', task)
    const tags = taskTags({
      propagated:
        revision.propagateTags === 'DAEMON' ? (tx.find('resourceTags', daemon.daemonArn)?.tags ?? []) : [],
      ...(revision.enableECSManagedTags && {
        managed: { clusterName: cluster.clusterName, daemonName: daemon.daemonName },
      }),
    })
    if (tags.length > 0) tx.put('resourceTags', { resourceArn: task.taskArn, tags })
  }

  /** What a task of the daemon's revision asks of an instance of the capacity provider. */
  #requirements(capacityProviderName: string): Requirements {
    const taskDefinition = this.#taskDefinition()
    return requirementsOf(taskDefinition, {
      demand: demandOf(taskDefinition),
      group: daemonGroup(this.#daemon.daemonName),
      // Managed instances are EC2 instances of a provider.
      launchType: 'EC2',
      capacityProviderName,
      constraints: [],
      enableExecuteCommand: this.revision.enableExecuteCommand,
    })
  }

  #taskDefinition(): TaskDefinition {
    return present(
      this.tx.find('taskDefinition', this.revision.daemonTaskDefinitionArn),
      'the task definition of a daemon',
    )
  }
}
