import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import { AgentGateway } from '@berth/control-plane/adapters/agent-gateway.ts'
import { operations as ec2Operations } from '@berth/control-plane/api/ec2/operations.ts'
import { operations } from '@berth/control-plane/api/ecs/operations.ts'
import { scheduledRuns } from '@berth/control-plane/api/ecs/tasks/scheduled-run.ts'
import { operations as eventsOperations } from '@berth/control-plane/api/events/operations.ts'
import { operations as schedulerOperations } from '@berth/control-plane/api/scheduler/operations.ts'
import type { Context, Operation } from '@berth/control-plane/api/operation.ts'
import { daemonScheduler } from '@berth/control-plane/engines/daemon-scheduler.ts'
import { deploymentActions } from '@berth/control-plane/engines/deployment-actions.ts'
import { fargateCapacity } from '@berth/control-plane/engines/fargate-capacity.ts'
import { instanceLifecycle } from '@berth/control-plane/engines/instance-lifecycle.ts'
import { instanceLiveness } from '@berth/control-plane/engines/instance-liveness.ts'
import { drive, type Reconciler } from '@berth/control-plane/engines/reconciler.ts'
import { networkInterfaces } from '@berth/control-plane/engines/network-interfaces.ts'
import { serviceScheduler } from '@berth/control-plane/engines/service-scheduler.ts'
import { taskDispatch } from '@berth/control-plane/engines/task-dispatch.ts'
import { taskReaper } from '@berth/control-plane/engines/task-reaper.ts'
import { taskSchedules } from '@berth/control-plane/engines/task-schedules.ts'
import type { FargateLimits } from '@berth/control-plane/domain/fargate.ts'
import { Fleet } from '@berth/control-plane/state/fleet.ts'
import { type Change, Store, type Transaction } from '@berth/control-plane/state/store.ts'
import { rootKey, rootKeyBytes, vaultOf } from '@berth/control-plane/state/vault.ts'
import type { Clock } from '@berth/std/clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { Chance } from './chance.ts'
import type { JournalDisk } from './disk.ts'
import { Life } from './life.ts'
import { type Outside, OutsideFault } from './outside.ts'
import { ProviderFault, type SimulatedProvider } from './provider.ts'

export const scope = { accountId: '000000000000', region: 'us-east-1' }
const url = 'http://control-plane'
const gatewayName = 'agent-gateway'

/** Where two services have an operation of one name, it is that of the last here. */
const allOperations: Readonly<Record<string, unknown>> = {
  ...schedulerOperations,
  ...eventsOperations,
  ...ec2Operations,
  ...operations,
}

export interface ControlPlaneOptions {
  readonly clock: Clock
  readonly chance: Chance
  readonly disk: JournalDisk
  /** Without one the engine that makes EC2 instances does not run. */
  readonly provider?: SimulatedProvider
  /** What deployments ask of the world. */
  readonly outside: Outside
  /** Absent: there is no Fargate. */
  readonly fargate?: FargateLimits | undefined
  /** After each transaction; `who` is an operation, an engine or the gateway. */
  readonly onChanges: (store: Store, changes: readonly Change[], who: string) => void
  /** What a request changed, once its answer is about to leave. */
  readonly onAcknowledged: (changes: readonly Change[]) => void
  /** Something of our own went wrong. */
  readonly onError: (where: string, error: unknown) => void
  readonly note: (text: string) => void
  /** A rule or schedule could not start all its tasks. */
  readonly onScheduleTrouble: (arn: string, trouble: string) => void
}

/** One process of the real control plane: store, operations, engines and agent gateway, on simulated ground. */
export class ControlPlane {
  readonly store: Store
  readonly life: Life
  readonly fleet: Fleet
  readonly #gateway: AgentGateway
  readonly #options: ControlPlaneOptions
  readonly #stop = new AbortController()
  /** Who makes the transaction that is made now; what nobody claims is the gateway's. */
  #who = gatewayName

  private constructor(store: Store, life: Life, options: ControlPlaneOptions) {
    const { chance, onChanges, onError, note } = options
    const { ids } = chance
    const { clock } = life
    this.store = store
    this.life = life
    this.#options = options
    this.fleet = Fleet.of(store)
    store.watch((changes) => {
      if (life.alive) onChanges(store, changes, this.#who)
    })
    const gateway = new AgentGateway({
      store,
      clock,
      ids,
      installation: { registryHost: 'localhost:4566', agentUrl: () => url },
      metrics: { record: () => undefined },
      report: (arn, problem) => {
        if (!life.alive) return
        if (problem instanceof Error) onError(`agent-gateway ${arn}`, problem)
        else note(`agent-gateway ${arn}: ${String(problem)}`)
      },
    })
    this.#gateway = gateway
    const { alarms, hooks, traffic } = options.outside
    const { fargate } = options
    this.#run(serviceScheduler({ view: store, ids, fleet: this.fleet, alarms, ...(fargate && { fargate }) }))
    if (fargate) this.#run(fargateCapacity({ fleet: this.fleet, ids, limits: fargate }))
    this.#run(deploymentActions({ traffic, hooks }))
    this.#run(daemonScheduler({ view: store, ids, fleet: this.fleet }))
    this.#run(networkInterfaces(ids))
    this.#run(taskDispatch(gateway))
    this.#run(instanceLiveness({ view: store, hasSession: (arn) => gateway.told(arn) !== undefined }))
    this.#run(taskReaper())
    const report = (arn: string, trouble: string): void => options.onScheduleTrouble(arn, trouble)
    this.#run(taskSchedules({ ids, run: scheduledRuns(this.#context()), report }))
    if (options.provider) this.#run(instanceLifecycle(options.provider.of(life), ids))
  }

  /** A control plane that goes on from what is on the disk. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const life = new Life(options.clock)
    return new ControlPlane(await Store.open(options.disk.journal(life)), life, options)
  }

  /** One request, from the check of its meaning to the moment its answer may leave; `accountId` is whose it is. */
  async serve(name: string, input: object, accountId = scope.accountId): Promise<unknown> {
    if (!this.life.alive) throw new Error('connect ECONNREFUSED')
    const { run } = allOperations[name] as Operation<object, unknown>
    const changes: Change[] = []
    const unwatch = this.store.watch((made) => changes.push(...made))
    try {
      return await this.#answered(() => {
        this.#claim(name)
        return run(this.#context(accountId), input)
      }, changes)
    } catch (error) {
      if (!(error instanceof AwsError) && this.life.alive) this.#options.onError(name, error)
      throw error
    } finally {
      unwatch()
    }
  }

  /** A look at what an answer says now; nobody is shown it. */
  ask(name: string, input: object): unknown {
    const { run } = allOperations[name] as Operation<object, unknown>
    return run(this.#context(), input)
  }

  /** Does what an operator does beside the API, and waits until it is durable. */
  async change(body: (tx: Transaction) => void): Promise<void> {
    this.#claim('the operator')
    this.store.update((tx) => body(tx) as undefined)
    await this.life.receive(this.store.durable())
  }

  /** An agent's upgrade to a websocket. Throws the refusal. */
  accept(target: string, query: Readonly<Record<string, string>>, socket: MessageSocket): void {
    if (!this.life.alive) throw new Error('connect ECONNREFUSED')
    const containerInstanceArn = query['containerInstanceArn'] ?? query['containerInstance'] ?? ''
    const cluster = query['clusterArn'] ?? query['cluster'] ?? ''
    const refusal = this.#gateway.admit({ containerInstanceArn, cluster })
    if (refusal) throw new Error(JSON.stringify(refusal))
    if (target.includes('/tcs/')) return this.#gateway.openTcs({ containerInstanceArn, cluster }, socket)
    this.#gateway.openAcs(
      {
        containerInstanceArn,
        cluster,
        agentVersion: query['agentVersion'] ?? '',
        agentHash: query['agentHash'] ?? '',
        dockerVersion: query['dockerVersion'] ?? '',
        protocolVersion: Number(query['protocolVersion']),
      },
      socket,
    )
  }

  /** kill -9. */
  crash(): void {
    this.life.end()
    this.#stop.abort()
  }

  async #answered(run: () => unknown, changes: readonly Change[]): Promise<unknown> {
    try {
      return run()
    } finally {
      const made = [...changes]
      await this.life.receive(this.store.durable())
      this.#options.onAcknowledged(made)
    }
  }

  #context(accountId = scope.accountId): Context {
    const { fargate } = this.#options
    return {
      store: this.store,
      fleet: this.fleet,
      clock: this.life.clock,
      ids: this.#options.chance.ids,
      caller: { accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId },
      scope: { ...scope, accountId },
      requestId: this.#options.chance.ids.uuid(),
      installation: {
        url,
        registryHost: 'localhost:4566',
        agentUrl: () => url,
        ...(fargate && { fargate }),
      },
      dataPlanes: {
        layers: {
          initiateLayerUpload: noLayers,
          uploadLayerPart: noLayers,
          completeLayerUpload: noLayers,
        },
        consoles: { getConsoleOutput: noLayers },
        commands: { openSession: noLayers, resumeSession: noLayers, terminateSession: noLayers },
        logs: {
          createLogStream: noLayers,
          deleteLogGroup: noLayers,
          deleteLogStream: noLayers,
          describeLogGroups: noLayers,
          describeLogStreams: noLayers,
          filterLogEvents: noLayers,
          getLogEvents: noLayers,
          putLogEvents: noLayers,
          startLiveTail: noLayers,
        },
      },
      vault: vaultOf([rootKey(Buffer.alloc(rootKeyBytes, 1))], this.#options.chance.ids),
    }
  }

  /** The transactions of this turn are made by `name`. */
  #claim(name: string): void {
    this.#who = name
    queueMicrotask(() => {
      this.#who = gatewayName
    })
  }

  #run<Effect, Outcome>(engine: Reconciler<Effect, Outcome>): void {
    const onError = (name: string, error: unknown): void => {
      if (!this.life.alive) return
      if (error instanceof ProviderFault || error instanceof OutsideFault)
        this.#options.note(`${name}: ${error.message}`)
      else this.#options.onError(name, error)
    }
    const claims =
      <Args extends unknown[], Result>(act: (...args: Args) => Result) =>
      (...args: Args): Result => {
        this.#claim(engine.name)
        return act(...args)
      }
    const claiming = {
      ...engine,
      reconcile: claims(engine.reconcile.bind(engine)),
      ...(engine.settle && { settle: claims(engine.settle.bind(engine)) }),
    }
    void drive(claiming, { store: this.store, clock: this.life.clock, stop: this.#stop.signal, onError })
  }
}

function noLayers(): never {
  throw new Error('there are no image layers in the simulator')
}
