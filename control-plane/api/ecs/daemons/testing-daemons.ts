/** A cluster with capacity providers of managed instances, for tests of daemons. */
import type { CreateDaemonRequest, UpdateDaemonRequest } from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import type { CapacityProvider } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import { newTask, type Task } from '#domain/task.ts'
import { describeDaemonDeployments } from './daemon-deployment.ts'
import { registerDaemonTaskDefinition } from './daemon-task-definition.ts'
import { createDaemon, describeDaemon, updateDaemon } from './daemon.ts'
import { putCluster, putContainerInstance } from '#api/ecs/testing-rows.ts'

export const arnOf = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
export const daemonArn = arnOf('daemon/demo/logs')
export const daemonTaskDefinition = arnOf('daemon-task-definition/logs:1')

/** The cluster `demo` with the providers `mi` and `other`, and the daemon task definition `logs:1`. */
export class DaemonRequests {
  readonly #context: Context
  readonly cluster: Cluster

  constructor(context: Context) {
    this.#context = context
    this.cluster = putCluster(context, 'demo')
    registerDaemonTaskDefinition.run(context, {
      family: 'logs',
      containerDefinitions: [{ name: 'app', image: 'fluent:1', memory: 64 }],
    })
    const managed = { managedInstancesProvider: {}, clusterArn: this.cluster.clusterArn }
    for (const name of ['mi', 'other']) this.putProvider(name, managed)
  }

  putProvider(name: string, more: Partial<CapacityProvider>): void {
    const row: CapacityProvider = {
      ...this.#context.scope,
      capacityProviderArn: arnOf(`capacity-provider/${name}`),
      name,
      status: 'ACTIVE',
      updateStatus: 'CREATE_COMPLETE',
      createdAt: 0,
      ...more,
    }
    this.#context.store.update((tx) => tx.put('capacityProvider', row))
  }

  create(more: Partial<CreateDaemonRequest> = {}) {
    return createDaemon.run(this.#context, {
      daemonName: 'logs',
      clusterArn: this.cluster.clusterArn,
      daemonTaskDefinitionArn: daemonTaskDefinition,
      capacityProviderArns: [arnOf('capacity-provider/mi')],
      ...more,
    })
  }

  update(more: Partial<UpdateDaemonRequest> = {}) {
    return updateDaemon.run(this.#context, {
      daemonArn,
      daemonTaskDefinitionArn: daemonTaskDefinition,
      capacityProviderArns: [arnOf('capacity-provider/mi')],
      ...more,
    })
  }

  describe() {
    return describeDaemon.run(this.#context, { daemonArn }).daemon
  }

  deploymentOf(arn = '') {
    return describeDaemonDeployments.run(this.#context, { daemonDeploymentArns: [arn] })
      .daemonDeployments?.[0]
  }

  /** A task of the daemon's present revision on an instance of the provider. */
  putTask(id: string, more: Partial<Task> = {}, capacityProviderName = 'mi'): Task {
    const { store, scope, ids, clock } = this.#context
    const placement = putContainerInstance(this.#context, this.cluster, id, { capacityProviderName })
    const daemon = store.find('daemon', daemonArn)
    const taskDefinition = store.find('taskDefinition', daemonTaskDefinition)
    if (!daemon || !taskDefinition) throw new Error('there is no daemon')
    const task: Task = {
      ...newTask({
        scope,
        cluster: this.cluster,
        taskDefinition,
        ids,
        now: clock.now(),
        placement,
        group: 'daemon:logs',
        daemon: { daemonArn, daemonRevisionArn: daemon.daemonRevisionArn },
        launchType: 'MANAGED_INSTANCES',
        capacityProviderName,
        enableExecuteCommand: false,
      }),
      lastStatus: 'RUNNING',
      ...more,
    }
    store.update((tx) => tx.put('task', task))
    return task
  }
}
