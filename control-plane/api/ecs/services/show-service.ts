import type { Deployment as DeploymentShape, Service as ServiceShape } from '@aws-sdk/client-ecs'
import { controllerOf, type Deployment, type Service } from '#domain/service.ts'
import { countTasks } from '#domain/task-counts.ts'
import type { Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { showCurrent } from './show-service-deployment.ts'
import { showTaskSet } from './show-task-set.ts'
import { showTags } from '#api/ecs/tag.ts'

const shownEventsMax = 100

/** A service as AWS shows it, its counts derived from its tasks; its tags only where they are asked for. */
export function showService(view: View, service: Service, { tags = false } = {}): ServiceShape {
  const tasks = view.by('task', 'service', service.serviceArn)
  const { deploymentController, platformVersion, networkConfiguration, roleArn } = service
  const grace = service.healthCheckGracePeriodSeconds
  return {
    serviceArn: service.serviceArn,
    serviceName: service.serviceName,
    clusterArn: service.clusterArn,
    loadBalancers: [...service.loadBalancers],
    serviceRegistries: [...service.serviceRegistries],
    status: service.status,
    desiredCount: service.desiredCount,
    ...countTasks(tasks),
    ...capacityOf(service),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(service.taskDefinitionArn !== '' && { taskDefinition: service.taskDefinitionArn }),
    deploymentConfiguration: service.deploymentConfiguration,
    ...showTaskSets(view, service, tags),
    deployments: showDeployments(view, service, tasks),
    ...(roleArn !== undefined && { roleArn }),
    events: view
      .by('serviceEvent', 'service', service.serviceArn)
      .toSorted((one, other) => other.sequence - one.sequence)
      .slice(0, shownEventsMax)
      .map(({ id, createdAt, message }) => ({ id, createdAt: new Date(createdAt), message })),
    createdAt: new Date(service.createdAt),
    ...showCurrent(view, service, view.by('deployment', 'service', service.serviceArn)),
    placementConstraints: [...service.placementConstraints],
    placementStrategy: [...service.placementStrategy],
    ...(networkConfiguration && { networkConfiguration }),
    ...(grace !== undefined && { healthCheckGracePeriodSeconds: grace }),
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

/** Where another controller than ECS deploys: the task sets, oldest first. Their tags are never left out, but may be empty. */
function showTaskSets(view: View, service: Service, tags: boolean): Pick<ServiceShape, 'taskSets'> {
  if (controllerOf(service) === 'ECS') return {}
  const taskSets = view.by('taskSet', 'service', service.serviceArn)
  return {
    taskSets: taskSets.map((taskSet) => ({ tags: [], ...showTaskSet(view, service, taskSet, { tags }) })),
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
    ...countTasks(tasks),
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
