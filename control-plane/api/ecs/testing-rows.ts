/** Rows that tests of operations start from. */
import { present } from '@berth/std/assert.ts'
import { defaultNetwork } from '#domain/ec2-network.ts'
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Service } from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'

export function putCluster(
  { store, scope }: Context,
  clusterName: string,
  more: Partial<Cluster> = {},
): Cluster {
  const cluster: Cluster = {
    ...scope,
    clusterArn: formatArn(scope, 'ecs', `cluster/${clusterName}`),
    clusterName,
    status: 'ACTIVE',
    settings: [],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
    createdAt: 0,
    ...more,
  }
  store.update((tx) => tx.put('cluster', cluster))
  return cluster
}

/** A revision of one container `app`, unless there are others. */
export function putTaskDefinition(
  { store, scope }: Context,
  name: `${string}:${number}`,
  app: ContainerDefinition = {},
  more: Partial<TaskDefinition> = {},
): TaskDefinition {
  const [family = '', revision] = name.split(':')
  const taskDefinition: TaskDefinition = {
    ...scope,
    taskDefinitionArn: formatArn(scope, 'ecs', `task-definition/${name}`),
    family,
    revision: Number(revision),
    status: 'ACTIVE',
    containerDefinitions: [{ name: 'app', image: 'nginx', essential: true, memory: 100, ...app }],
    volumes: [],
    placementConstraints: [],
    requiresAttributes: [],
    compatibilities: ['EC2', 'EXTERNAL'],
    enableFaultInjection: false,
    registeredAt: 0,
    registeredBy: 'root',
    ...more,
  }
  store.update((tx) => {
    tx.put('taskDefinition', taskDefinition)
    tx.put('taskDefinitionFamily', { ...scope, family, lastRevision: taskDefinition.revision })
  })
  return taskDefinition
}

/** What an instance has beside whose agent runs commands in containers. */
export const executesCommands: Pick<ContainerInstance, 'attributes'> = {
  attributes: [
    { name: 'ecs.availability-zone', value: 'us-east-1a' },
    { name: 'ecs.capability.execute-command' },
  ],
}

/** A connected instance of 1024 CPU units. */
export function putContainerInstance(
  { store, scope }: Context,
  { clusterArn, clusterName }: Cluster,
  id: string,
  { memoryMiB = 1024, ...more }: Partial<ContainerInstance> & { readonly memoryMiB?: number } = {},
): ContainerInstance {
  const instance: ContainerInstance = {
    ...scope,
    containerInstanceArn: formatArn(scope, 'ecs', `container-instance/${clusterName}/${id}`),
    clusterArn,
    external: false,
    status: 'ACTIVE',
    agentConnected: true,
    versionInfo: {},
    registeredResources: [
      { name: 'CPU', type: 'INTEGER', integerValue: 1024 },
      { name: 'MEMORY', type: 'INTEGER', integerValue: memoryMiB },
    ],
    attributes: [{ name: 'ecs.availability-zone', value: 'us-east-1a' }],
    registeredAt: 0,
    version: 1,
    ...more,
  }
  store.update((tx) => tx.put('containerInstance', instance))
  return instance
}

/** A REPLICA service of one task of `web:1`, without a deployment. */
export function putService(
  { store, scope }: Context,
  { clusterArn, clusterName }: Cluster,
  serviceName: string,
  more: Partial<Service> = {},
): Service {
  const service: Service = {
    ...scope,
    serviceArn: formatArn(scope, 'ecs', `service/${clusterName}/${serviceName}`),
    serviceName,
    clusterArn,
    status: 'ACTIVE',
    schedulingStrategy: 'REPLICA',
    desiredCount: 1,
    taskDefinitionArn: formatArn(scope, 'ecs', 'task-definition/web:1'),
    deploymentConfiguration: {},
    placementConstraints: [],
    placementStrategy: [],
    availabilityZoneRebalancing: 'DISABLED',
    loadBalancers: [],
    serviceRegistries: [],
    propagateTags: 'NONE',
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    createdAt: 0,
    createdBy: 'root',
    ...more,
  }
  store.update((tx) => tx.put('service', service))
  return service
}

/** `Code: message` of what `act` throws; 'nothing' when it throws nothing. */
export function refusalOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
  return 'nothing'
}

/** A subnet of the default VPC, in the first zone. */
export function putSubnet({ store, scope }: Context, subnetId: string): void {
  const { subnets } = defaultNetwork(scope)
  store.update((tx) => tx.put('subnet', { ...present(subnets[0], 'a zone'), subnetId }))
}
