/** What tests of engines run on: a store without a disk, a clock moved by hand, and tasks that do as the test says. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import { beginDeployment } from '@berth/control-plane/api/ecs/services/service-deployment-begin.ts'
import type { Deployment, Service } from '@berth/control-plane/domain/service.ts'
import type { ServiceDeployment } from '@berth/control-plane/domain/service-deployment.ts'
import {
  newTask,
  placedOn,
  observeTask,
  type HealthStatus,
  type Task,
} from '@berth/control-plane/domain/task.ts'
import { observeHealth } from '@berth/control-plane/domain/task-health.ts'
import { drive, type Reconciler } from '@berth/control-plane/engines/reconciler.ts'
import { Fleet } from '@berth/control-plane/state/fleet.ts'
import { memoryJournal } from '@berth/control-plane/state/journal.ts'
import { Store } from '@berth/control-plane/state/store.ts'
import { type Ids, idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { SimulatedClock } from './clock.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const arn = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
export const clusterArn = arn('cluster/default')
export const serviceArn = arn('service/default/web')

export class EngineBench {
  readonly store: Store
  readonly fleet: Fleet
  readonly clock = new SimulatedClock(Date.UTC(2026, 0, 1))
  readonly ids: Ids = idsFrom(prng(7))
  readonly errors: unknown[] = []
  readonly #stop = new AbortController()

  private constructor(store: Store) {
    this.store = store
    this.fleet = Fleet.of(store)
  }

  /** A store with the cluster `default`. */
  static async open(): Promise<EngineBench> {
    const bench = new EngineBench(await Store.open(memoryJournal))
    bench.store.update((tx) =>
      tx.put('cluster', {
        ...scope,
        clusterArn,
        clusterName: 'default',
        status: 'ACTIVE',
        settings: [],
        capacityProviders: [],
        defaultCapacityProviderStrategy: [],
        createdAt: bench.clock.now(),
      }),
    )
    return bench
  }

  drive<Effect, Outcome>(engine: Reconciler<Effect, Outcome>): void {
    const onError = (_: string, error: unknown): number => this.errors.push(error)
    void drive(engine, { store: this.store, clock: this.clock, stop: this.#stop.signal, onError })
  }

  run(durationMs: number): Promise<void> {
    return this.clock.run(this.clock.now() + durationMs)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.run(0)
  }

  putInstance(name: string, given: Partial<ContainerInstance> = {}): ContainerInstance {
    const instance: ContainerInstance = {
      ...scope,
      containerInstanceArn: arn(`container-instance/default/${name}`),
      clusterArn,
      external: false,
      status: 'ACTIVE',
      agentConnected: true,
      versionInfo: {},
      registeredResources: [
        { name: 'CPU', type: 'INTEGER', integerValue: 4096 },
        { name: 'MEMORY', type: 'INTEGER', integerValue: 4096 },
        { name: 'PORTS', type: 'STRINGSET', stringSetValue: [] },
        { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: [] },
      ],
      attributes: [],
      registeredAt: this.clock.now(),
      version: 1,
      ...given,
    }
    this.store.update((tx) => tx.put('containerInstance', instance))
    return instance
  }

  /** A task that no service or daemon started, on the instance of that name. */
  putStandalone(name: string, demand: Partial<Task['demand']> = {}): Task {
    const instance = this.store.find('containerInstance', arn(`container-instance/default/${name}`))
    const taskDefinition = this.store.find('taskDefinition', this.putTaskDefinition(99))
    if (!instance || !taskDefinition) throw new Error(`there is no instance ${name}`)
    const made = newTask({
      scope,
      cluster: { clusterArn, clusterName: 'default' },
      taskDefinition,
      ids: this.ids,
      now: this.clock.now(),
      placement: placedOn(instance),
      group: 'family:web',
      launchType: 'EC2',
      enableExecuteCommand: false,
    })
    const task = { ...made, demand: { ...made.demand, ...demand } }
    this.store.update((tx) => tx.put('task', task))
    return task
  }

  putTaskDefinition(revision: number, container: Partial<ContainerDefinition> = {}): string {
    const taskDefinitionArn = arn(`task-definition/web:${revision}`)
    this.store.update((tx) =>
      tx.put('taskDefinition', {
        ...scope,
        taskDefinitionArn,
        family: 'web',
        revision,
        status: 'ACTIVE',
        containerDefinitions: [{ name: 'app', image: 'nginx', cpu: 256, memory: 256, ...container }],
        volumes: [],
        placementConstraints: [],
        requiresAttributes: [],
        compatibilities: ['EC2'],
        networkMode: 'bridge',
        enableFaultInjection: false,
        registeredAt: this.clock.now(),
        registeredBy: 'root',
      }),
    )
    return taskDefinitionArn
  }

  /** The service `web`, created with a deployment of the revision. */
  putService(taskDefinitionArn: string, given: Partial<Service> = {}): Service {
    const service = this.#newService({ taskDefinitionArn, ...given })
    this.store.update((tx) => {
      tx.put('service', service)
      beginDeployment(tx, service, { ids: this.ids, now: this.clock.now() })
    })
    return service
  }

  /** The service `web` of an external controller, without task sets. */
  putExternalService(given: Partial<Service> = {}): void {
    const service = this.#newService({ deploymentController: { type: 'EXTERNAL' }, ...given })
    this.store.update((tx) => tx.put('service', service))
  }

  #newService(given: Partial<Service>): Service {
    return {
      ...scope,
      serviceArn,
      serviceName: 'web',
      clusterArn,
      status: 'ACTIVE',
      schedulingStrategy: 'REPLICA',
      desiredCount: 2,
      taskDefinitionArn: '',
      launchType: 'EC2',
      deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
      placementConstraints: [],
      placementStrategy: [],
      availabilityZoneRebalancing: 'DISABLED',
      loadBalancers: [],
      serviceRegistries: [],
      propagateTags: 'NONE',
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      createdAt: this.clock.now(),
      createdBy: 'root',
      ...given,
    }
  }

  /** Changes the service as UpdateService does; another revision is another deployment. */
  updateService(change: Partial<Service>): void {
    this.store.update((tx) => {
      const service = { ...this.service, ...change }
      tx.put('service', service)
      if (change.taskDefinitionArn === undefined) return
      beginDeployment(tx, service, { ids: this.ids, now: this.clock.now() })
    })
  }

  get service(): Service {
    const service = this.store.find('service', serviceArn)
    if (!service) throw new Error('there is no service')
    return service
  }

  get deployments(): Deployment[] {
    return this.store.by('deployment', 'service', serviceArn)
  }

  get primary(): Deployment | undefined {
    return this.deployments.find(({ status }) => status === 'PRIMARY')
  }

  /** Oldest first. */
  get serviceDeployments(): ServiceDeployment[] {
    return this.store.by('serviceDeployment', 'service', serviceArn)
  }

  /** What the service said, oldest first. */
  get messages(): string[] {
    return this.store
      .by('serviceEvent', 'service', serviceArn)
      .toSorted((one, other) => one.sequence - other.sequence)
      .map(({ message }) => message)
  }

  /** Tasks that are to run, by revision. */
  wanted(revision?: number): Task[] {
    return this.store
      .list('task')
      .filter((task) => task.desiredStatus === 'RUNNING' && task.lastStatus !== 'STOPPED')
      .filter((task) => revision === undefined || task.taskDefinitionArn.endsWith(`:${revision}`))
  }

  report(
    task: Task,
    status: 'RUNNING' | 'STOPPED',
    { exitCode, reason }: { exitCode?: number; reason?: string } = {},
  ): void {
    this.store.update((tx) => {
      const known = tx.find('task', task.taskArn)
      if (!known) return
      const container = {
        name: 'app',
        status,
        ...(exitCode !== undefined && { exitCode }),
        ...(reason !== undefined && { reason }),
      }
      tx.put('task', observeTask(known, { now: this.clock.now(), status, containers: [container] }))
    })
  }

  setHealth(task: Task, status: HealthStatus): void {
    this.store.update((tx) => {
      const known = tx.find('task', task.taskArn)
      if (known) tx.put('task', observeHealth(known, [{ containerName: 'app', status }], ['app']))
    })
  }

  /** Lets the hosts do what is asked of them: a second after a task is put it runs, a second after it should, it has stopped. */
  obey(startsOk: (task: Task) => boolean = () => true): void {
    const acted = new Set<string>()
    this.store.watch((changes) => {
      for (const { table, after } of changes) {
        if (table !== 'task' || !after) continue
        const task = after as Task
        if (task.desiredStatus === 'RUNNING' && task.containerInstanceArn === undefined) continue
        const key = `${task.taskArn} ${task.desiredStatus}`
        if (task.lastStatus === 'STOPPED' || acted.has(key)) continue
        acted.add(key)
        this.clock.at(this.clock.now() + 1_000, () => {
          if (task.desiredStatus === 'STOPPED') this.report(task, 'STOPPED', { exitCode: 143 })
          else if (startsOk(task)) this.report(task, 'RUNNING')
          else this.report(task, 'STOPPED', { reason: 'CannotPullContainerError: no such image' })
        })
      }
    })
  }
}
