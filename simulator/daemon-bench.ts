/** What tests of managed daemons run on: an engine bench with capacity providers of managed instances. */
import type { CreateDaemonRequest, UpdateDaemonRequest } from '@aws-sdk/client-ecs'
import { registerDaemonTaskDefinition } from '@berth/control-plane/api/ecs/daemons/daemon-task-definition.ts'
import { createDaemon, updateDaemon } from '@berth/control-plane/api/ecs/daemons/daemon.ts'
import type { Context } from '@berth/control-plane/api/operation.ts'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import type { DaemonDeployment } from '@berth/control-plane/domain/daemon.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { daemonScheduler } from '@berth/control-plane/engines/daemon-scheduler.ts'
import { vaultInMemory } from '@berth/control-plane/state/vault.ts'
import { clusterArn, EngineBench } from './engine-bench.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
export const arnOf = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
export const daemonArn = arnOf('daemon/default/logs')
export const provider = arnOf('capacity-provider/mi')

/** A bench with a managed-instances capacity provider, whose daemon requests are real. */
export class DaemonBench {
  readonly bench: EngineBench
  readonly context: Context

  /** With so many instances of the provider `mi`, and the engine running. */
  static async open(instances: number, enforcesIam = false): Promise<DaemonBench> {
    const bench = await EngineBench.open()
    const daemons = new DaemonBench(bench)
    for (let number = 1; number <= instances; number++) daemons.addInstance(`host${number}`)
    const { store: view, ids, fleet } = bench
    bench.drive(daemonScheduler({ view, ids, fleet, ...(enforcesIam && { enforcesIam }) }))
    return daemons
  }

  private constructor(bench: EngineBench) {
    this.bench = bench
    this.context = {
      store: bench.store,
      fleet: bench.fleet,
      clock: bench.clock,
      ids: bench.ids,
      scope,
      caller: { accountId: scope.accountId, arn: 'arn:aws:iam::000000000000:root', userId: 'root' },
      requestId: '1',
      installation: { url: '', registryHost: 'localhost:4566', agentUrl: () => '' },
      dataPlanes: {} as Context['dataPlanes'],
      vault: vaultInMemory(bench.ids),
    }
    for (const name of ['mi', 'other'])
      bench.store.update((tx) =>
        tx.put('capacityProvider', {
          ...scope,
          capacityProviderArn: arnOf(`capacity-provider/${name}`),
          name,
          clusterArn,
          status: 'ACTIVE',
          updateStatus: 'CREATE_COMPLETE',
          managedInstancesProvider: {},
          createdAt: 0,
        }),
      )
  }

  addInstance(name: string, given: Partial<ContainerInstance> = {}): ContainerInstance {
    return this.bench.putInstance(name, { capacityProviderName: 'mi', managed: true, ...given })
  }

  change(name: string, change: Partial<ContainerInstance>): void {
    this.bench.store.update((tx) => {
      const row = tx.find('containerInstance', arnOf(`container-instance/default/${name}`))
      if (row) tx.put('containerInstance', { ...row, ...change })
    })
  }

  /** The next revision of the family `logs`. */
  register(memory = 64, taskRoleArn?: string): string {
    const { daemonTaskDefinitionArn = '' } = registerDaemonTaskDefinition.run(this.context, {
      family: 'logs',
      ...(taskRoleArn !== undefined && { taskRoleArn }),
      containerDefinitions: [{ name: 'app', image: 'fluent', memory }],
    })
    return daemonTaskDefinitionArn
  }

  create(more: Partial<CreateDaemonRequest> = {}): void {
    createDaemon.run(this.context, {
      daemonName: 'logs',
      clusterArn,
      daemonTaskDefinitionArn: this.register(),
      capacityProviderArns: [provider],
      ...more,
    })
  }

  update(more: Partial<UpdateDaemonRequest> = {}): void {
    updateDaemon.run(this.context, {
      daemonArn,
      daemonTaskDefinitionArn: this.register(),
      capacityProviderArns: [provider],
      ...more,
    })
  }

  run(durationMs: number): Promise<void> {
    return this.bench.run(durationMs)
  }

  /** Its tasks that are to run, by host and revision of the task definition. */
  get running(): string[] {
    return this.bench
      .wanted()
      .filter((task) => task.daemonArn === daemonArn)
      .map((task) => `${hostOf(task)}:${task.taskDefinitionArn.split(':').at(-1)}`)
      .toSorted()
  }

  get deployment(): DaemonDeployment | undefined {
    const daemon = this.bench.store.find('daemon', daemonArn)
    return this.bench.store.find('daemonDeployment', daemon?.deploymentArn ?? '')
  }
}

export const hostOf = (task: Task): string | undefined => task.containerInstanceArn?.split('/').at(-1)
