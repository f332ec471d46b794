import type { Deployment as DeploymentShape, Service as ServiceShape } from '@aws-sdk/client-ecs'
import type { Deployment, Service } from '#domain/service.ts'
import type { Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { showTags } from './tag.ts'

const shownEventsMax = 100

/** A service as AWS shows it, its counts derived from its tasks; its tags only where they are asked for. */
export function showService(view: View, service: Service, { tags = false } = {}): ServiceShape {
  const tasks = view.by('task', 'service', service.serviceArn)
  const { deploymentController, platformVersion, networkConfiguration, roleArn } = service
  return {
    serviceArn: service.serviceArn,
    serviceName: service.serviceName,
    clusterArn: service.clusterArn,
    loadBalancers: [...service.loadBalancers],
    serviceRegistries: [...service.serviceRegistries],
    status: service.status,
    desiredCount: service.desiredCount,
    ...countsOf(tasks),
    ...capacityOf(service),
    ...(platformVersion !== undefined && { platformVersion }),
    taskDefinition: service.taskDefinitionArn,
    deploymentConfiguration: service.deploymentConfiguration,
    deployments: showDeployments(view, service, tasks),
    ...(roleArn !== undefined && { roleArn }),
    events: view
      .by('serviceEvent', 'service', service.serviceArn)
      .toSorted((one, other) => other.sequence - one.sequence)
      .slice(0, shownEventsMax)
      .map(({ id, createdAt, message }) => ({ id, createdAt: new Date(createdAt), message })),
    createdAt: new Date(service.createdAt),
    placementConstraints: [...service.placementConstraints],
    placementStrategy: [...service.placementStrategy],
    ...(networkConfiguration && { networkConfiguration }),
    healthCheckGracePeriodSeconds: service.healthCheckGracePeriodSeconds ?? 0,
    schedulingStrategy: service.schedulingStrategy,
    ...(deploymentController && { deploymentController }),
    ...(tags && { tags: showTags(view, service.serviceArn) }),
    createdBy: service.createdBy,
    enableECSManagedTags: service.enableECSManagedTags,
    propagateTags: service.propagateTags,
    enableExecuteCommand: service.enableExecuteCommand,
    availabilityZoneRebalancing: service.availabilityZoneRebalancing,
    // What ECS manages itself are express gateways, and Berth has none.
    resourceManagementType: 'CUSTOMER',
  }
}

/** The PRIMARY first, then what the service comes from, newest first; one that is over is shown no more. */
function showDeployments(view: View, service: Service, tasks: readonly Task[]): DeploymentShape[] {
  if (service.status === 'INACTIVE') return []
  const rank = ({ status }: Deployment): number => (status === 'PRIMARY' ? 0 : 1)
  const byDeployment = Map.groupBy(tasks, ({ deploymentId }) => deploymentId)
  return view
    .by('deployment', 'service', service.serviceArn)
    .filter(({ status }) => status !== 'INACTIVE')
    .toSorted((one, other) => rank(one) - rank(other) || other.createdAt - one.createdAt)
    .map((deployment) => showDeployment(service, deployment, byDeployment.get(deployment.deploymentId) ?? []))
}

function showDeployment(service: Service, deployment: Deployment, tasks: readonly Task[]): DeploymentShape {
  const { platformVersion, networkConfiguration } = deployment
  const kept = tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING')
  return {
    id: deployment.deploymentId,
    status: deployment.status,
    taskDefinition: deployment.taskDefinitionArn,
    desiredCount: deployment.status === 'PRIMARY' ? service.desiredCount : kept.length,
    ...countsOf(tasks),
    failedTasks: deployment.failedTasks,
    createdAt: new Date(deployment.createdAt),
    updatedAt: new Date(deployment.updatedAt),
    ...capacityOf(deployment),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration && { networkConfiguration }),
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  }
}

const pending: ReadonlySet<string> = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING'])

function countsOf(tasks: readonly Task[]): { pendingCount: number; runningCount: number } {
  return {
    pendingCount: tasks.filter((task) => pending.has(task.lastStatus) && task.desiredStatus === 'RUNNING')
      .length,
    runningCount: tasks.filter((task) => task.lastStatus === 'RUNNING').length,
  }
}

/** Either the strategy or the launch type, never both. */
function capacityOf({
  launchType,
  capacityProviderStrategy,
}: Pick<Service, 'launchType' | 'capacityProviderStrategy'>): Pick<
  ServiceShape,
  'launchType' | 'capacityProviderStrategy'
> {
  if (capacityProviderStrategy && capacityProviderStrategy.length > 0)
    return { capacityProviderStrategy: [...capacityProviderStrategy] }
  return launchType === undefined ? {} : { launchType }
}
