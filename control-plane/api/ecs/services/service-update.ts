import type { UpdateServiceRequest, UpdateServiceResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { controllerOf, needsDeployment, type Service } from '#domain/service.ts'
import type { View } from '#state/store.ts'
import { forgetTaskSet } from '#state/task-sets.ts'
import { checkOneOf, refuse, unsupported } from '#api/ecs/tasks/placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { checkedService } from './service-candidate.ts'
import { beginDeployment } from './service-deployment-begin.ts'
import { resolveService, serviceResources } from './service-reference.ts'
import { showService } from './show-service.ts'

/**
 * Changes what a service should be; what is left out stays. A change of the revision, and of what its tasks are made
 * with, starts a new deployment; the one under way then becomes what the service comes from.
 */
export const updateService: Operation<UpdateServiceRequest, UpdateServiceResponse> = {
  resources: (context, input) => serviceResources(context, input.cluster, [input.service ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const before = resolveService(tx, cluster, input.service ?? '')
      if (before.status !== 'ACTIVE')
        throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.')
      const controller = input.deploymentController?.type ?? controllerOf(before)
      checkOneOf('deployment controller', controller, ['ECS', 'CODE_DEPLOY', 'EXTERNAL'])
      checkControllerAllows(controller, input)
      if (controller !== controllerOf(before)) checkControllerChange(tx, before, controller)
      const after = checkedService(tx, context, { act: 'updated', cluster, standing: before, input })
      requireForce(before, after, input)
      tx.put('service', after)
      const migrated = controller !== controllerOf(before)
      // What its task set ran, the service has taken over: its deployments run it from now on.
      if (migrated)
        for (const taskSet of tx.by('taskSet', 'service', after.serviceArn)) forgetTaskSet(tx, taskSet)
      if (controller === 'ECS' && (migrated || input.forceNewDeployment || needsDeployment(before, after)))
        beginDeployment(tx, after, { ids: context.ids, now: context.clock.now() })
      return { service: showService(tx, after, { tags: true }) }
    }),
}

/** What is another's to change where ECS does not deploy, as AWS calls it. */
const deployedElsewhere = {
  taskDefinition: 'task definition',
  networkConfiguration: 'network parameters',
  platformVersion: 'platform version',
  loadBalancers: 'load balancers',
  serviceRegistries: 'service registries',
  serviceConnectConfiguration: 'Service Connect configuration',
  volumeConfigurations: 'volume configurations',
  vpcLatticeConfigurations: 'VPC Lattice configurations',
  gatewayConnectors: 'gateway connectors',
  enableExecuteCommand: 'execute command',
} satisfies Partial<Record<keyof UpdateServiceRequest, string>>

/** Throws InvalidParameterException for what the controller would have to be asked. The words for EXTERNAL are ours. */
function checkControllerAllows(controller: string, input: UpdateServiceRequest): void {
  if (controller === 'ECS') return
  const instead =
    controller === 'CODE_DEPLOY'
      ? 'on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.'
      : 'on services with an EXTERNAL deployment controller. Create a new task set to trigger a new deployment.'
  for (const [member, name] of Object.entries(deployedElsewhere))
    if (input[member as keyof typeof deployedElsewhere] !== undefined)
      refuse(`Unable to update ${name} ${instead}`)
  if (controller === 'EXTERNAL' && input.deploymentConfiguration !== undefined)
    refuse(`Unable to update deployment configuration ${instead}`)
  if (input.forceNewDeployment) refuse(`Cannot force a new deployment ${instead}`)
}

/**
 * Throws InvalidParameterException for a service whose tasks the new controller could not take over.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-deployment-controller-migration.html
 */
function checkControllerChange(view: View, before: Service, controller: string): void {
  if (controller !== 'ECS') {
    if (before.schedulingStrategy === 'DAEMON')
      refuse(
        `The ${controller} deployment controller type is not supported for services using the DAEMON scheduling strategy.`,
      )
    unsupported(`changing the deployment controller to ${controller}`, 'Create a service with it.')
  }
  const taskSets = view.by('taskSet', 'service', before.serviceArn)
  if (taskSets.length > 1)
    refuse(
      'Updating the deployment controller is not supported when there are multiple tasksets in the service. Please ensure your service has only one taskset and try again.',
    )
  if (!taskSets.some(({ status }) => status === 'PRIMARY'))
    refuse(
      'Updating the deployment controller requires a primary taskset in the service. Please ensure your service has a primary taskset and try again.',
    )
}

function requireForce(before: Service, after: Service, { forceNewDeployment }: UpdateServiceRequest): void {
  const strategies = [before, after].map(({ capacityProviderStrategy = [] }) =>
    JSON.stringify(capacityProviderStrategy),
  )
  if (strategies[0] !== strategies[1] && !forceNewDeployment)
    refuse(
      'When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.',
    )
}
