/**
 * The calls of Terraform's AWS provider for services, in its order and with its reading of the answers: an apply or destroy succeeds
 * exactly when these do. https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecs
 */
import {
  ClusterContainsContainerInstancesException,
  ClusterContainsServicesException,
  type CreateServiceCommandInput,
  type ECS,
  type Service,
  type ServiceDeployment,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from './stage.ts'
import { eventually } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

const tags = [{ key: 'Name', value: 'tf' }]
/** Its health check spares the time that a task without one must run before it counts. */
const running = {
  name: 'web',
  image: 'nginx',
  memory: 64,
  essential: true,
  healthCheck: { command: ['CMD', 'true'] },
}
const stuck = { ...running, image: 'stuck' }

/** `findServiceNoTagsByTwoPartKey`: undefined where Terraform takes the service for one that never was. */
async function findService(ecs: ECS, cluster: string, service: string): Promise<Service | undefined> {
  const { services, failures } = await ecs.describeServices({ cluster, services: [service] })
  if (failures?.some(({ reason }) => reason === 'MISSING')) return undefined
  return services?.[0]
}

async function register(ecs: ECS, family: string, container: typeof running): Promise<string> {
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family,
    containerDefinitions: [container],
    tags,
  })
  return taskDefinition?.taskDefinitionArn ?? ''
}

/**
 * `findPrimaryDeploymentARN`: of the service deployments since the operation, that whose target revision has the number
 * of the primary deployment.
 */
async function findServiceDeploymentArn(
  ecs: ECS,
  cluster: string,
  service: Service,
  operationTime: Date,
): Promise<string | undefined> {
  const primary = service.deployments?.find(({ status }) => status === 'PRIMARY')
  const [, number] = (primary?.id ?? '').split('/')
  if (number === undefined) throw new Error(`invalid primary task set ID format: ${primary?.id}`)
  const { serviceDeployments } = await ecs.listServiceDeployments({
    cluster,
    service: service.serviceName,
    createdAt: { after: operationTime },
  })
  return serviceDeployments?.find(({ targetServiceRevisionArn }) =>
    targetServiceRevisionArn?.includes(number),
  )?.serviceDeploymentArn
}

const terminal = ['SUCCESSFUL', 'STOPPED', 'ROLLBACK_FAILED', 'ROLLBACK_SUCCESSFUL']

async function deploymentEnded(ecs: ECS, serviceDeploymentArn: string): Promise<ServiceDeployment> {
  return eventually('the service deployment ends', async () => {
    const { serviceDeployments } = await ecs.describeServiceDeployments({
      serviceDeploymentArns: [serviceDeploymentArn],
    })
    const [deployment] = serviceDeployments ?? []
    return terminal.includes(deployment?.status ?? '') && deployment
  })
}

/** `waitServiceStable` with an ECS deployment controller: what counts is the service deployment, not the tasks. */
async function steady(ecs: ECS, cluster: string, name: string, operationTime: Date): Promise<Service> {
  const arn = await eventually('the service deployment is listed', async () => {
    const service = await findService(ecs, cluster, name)
    expect(service).toMatchObject({ status: 'ACTIVE', deploymentController: { type: 'ECS' } })
    return service && findServiceDeploymentArn(ecs, cluster, service, operationTime)
  })
  expect(await deploymentEnded(ecs, arn)).toMatchObject({ status: 'SUCCESSFUL' })
  const service = await findService(ecs, cluster, name)
  if (!service) throw new Error(`${name} is gone`)
  return service
}

/** Terraform's clock has nanoseconds, the times it compares with have milliseconds: a call takes longer than one. */
const operationTimeNow = (): Date => new Date(Date.now() - 1)

/** What the provider sends of a service whose configuration says little. */
const created = (
  cluster: string,
  serviceName: string,
  taskDefinition: string,
): CreateServiceCommandInput => ({
  clientToken: `terraform-${serviceName}`,
  cluster,
  serviceName,
  taskDefinition,
  desiredCount: 2,
  deploymentController: { type: 'ECS' },
  deploymentConfiguration: {
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    deploymentCircuitBreaker: { enable: true, rollback: true },
  },
  enableECSManagedTags: false,
  enableExecuteCommand: false,
  schedulingStrategy: 'REPLICA',
  launchType: 'EC2',
  tags,
})

test.concurrent('aws_ecs_cluster: destroy is refused with the errors that Terraform tries again for', async () => {
  const account = stage.newAccount()
  const { ecs } = account
  await ecs.createCluster({ clusterName: 'tf' })
  await ecs.createService({ ...created('tf', 'web', await register(ecs, 'tf', running)), desiredCount: 0 })
  await expect(ecs.deleteCluster({ cluster: 'tf' })).rejects.toBeInstanceOf(ClusterContainsServicesException)
  await ecs.deleteService({ cluster: 'tf', service: 'web' })
  await eventually('the service is gone', async () => {
    return (await findService(ecs, 'tf', 'web'))?.status === 'INACTIVE'
  })
  const { containerInstanceArn } = await stage.join(account, 'tf')
  await expect(ecs.deleteCluster({ cluster: 'tf' })).rejects.toBeInstanceOf(
    ClusterContainsContainerInstancesException,
  )
  await ecs.deregisterContainerInstance({ cluster: 'tf', containerInstance: containerInstanceArn })
  await ecs.deleteCluster({ cluster: 'tf' })
  const { clusters } = await ecs.describeClusters({ clusters: ['tf'] })
  expect(clusters).toMatchObject([{ status: 'INACTIVE' }])
})

test.concurrent('aws_ecs_service waits for a steady state by the service deployment, scales, and is destroyed', async () => {
  const { ecs } = await stage.withCluster('tf')
  const first = await register(ecs, 'tf', running)
  const operationTime = operationTimeNow()
  const { service } = await ecs.createService(created('tf', 'web', first))
  const arn = service?.serviceArn ?? ''
  // Terraform knows the service by its ARN from here on, wherever AWS takes a name.
  await steady(ecs, 'tf', arn, operationTime)
  const { services } = await ecs.describeServices({ cluster: 'tf', services: [arn], include: ['TAGS'] })
  expect(services).toMatchObject([
    {
      serviceName: 'web',
      clusterArn: service?.clusterArn,
      taskDefinition: first,
      desiredCount: 2,
      launchType: 'EC2',
      schedulingStrategy: 'REPLICA',
      propagateTags: 'NONE',
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      deploymentConfiguration: {
        maximumPercent: 200,
        minimumHealthyPercent: 100,
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      loadBalancers: [],
      serviceRegistries: [],
      placementConstraints: [],
      placementStrategy: [],
      tags,
    },
  ])

  // In place, without a new deployment: Terraform counts then.
  await ecs.updateService({ cluster: 'tf', service: arn, forceNewDeployment: false, desiredCount: 3 })
  await eventually('one deployment and as many tasks as wanted', async () => {
    const found = await findService(ecs, 'tf', arn)
    return found?.deployments?.length === 1 && found.runningCount === 3
  })

  await expect(ecs.deleteService({ cluster: 'tf', service: arn })).rejects.toThrow(
    'The service cannot be stopped while it is scaled above 0.',
  )
  await ecs.updateService({ cluster: 'tf', service: arn, desiredCount: 0 })
  await eventually('DeleteService is taken', async () => {
    try {
      return await ecs.deleteService({ cluster: 'tf', service: arn, force: false })
    } catch (error) {
      const again = 'The service cannot be stopped while deployments are active.'
      if (error instanceof Error && error.message.includes(again)) return false
      throw error
    }
  })
  await eventually('the service is INACTIVE', async () => {
    const found = await findService(ecs, 'tf', arn)
    // Not found would fail the destroy: the provider waits for this very status.
    expect(['DRAINING', 'INACTIVE']).toContain(found?.status)
    return found?.status === 'INACTIVE'
  })
})

test.concurrent('aws_ecs_service updates and waits for its own deployment, not for the one it replaced', async () => {
  const { ecs } = await stage.withCluster('tf')
  const { service } = await ecs.createService(created('tf', 'web', await register(ecs, 'tf', running)))
  const arn = service?.serviceArn ?? ''
  const second = await register(ecs, 'tf', { ...running, image: 'nginx:2' })
  const updateTime = operationTimeNow()
  await ecs.updateService({ cluster: 'tf', service: arn, taskDefinition: second, forceNewDeployment: false })
  const updated = await steady(ecs, 'tf', arn, updateTime)
  expect(updated).toMatchObject({ taskDefinition: second, runningCount: 2 })
})

test.concurrent('aws_ecs_service with sigint_rollback takes an interrupted deployment back', async () => {
  const { ecs } = await stage.withCluster('tf')
  const good = await register(ecs, 'tf', running)
  const createTime = operationTimeNow()
  await ecs.createService(created('tf', 'web', good))
  await steady(ecs, 'tf', 'web', createTime)

  const updateTime = operationTimeNow()
  const { service } = await ecs.updateService({
    cluster: 'tf',
    service: 'web',
    taskDefinition: await register(ecs, 'tf', stuck),
  })
  if (!service) throw new Error('UpdateService shows no service')
  const arn = await findServiceDeploymentArn(ecs, 'tf', service, updateTime)
  if (arn === undefined) throw new Error('there is no service deployment of the update')
  const { serviceDeployments } = await ecs.describeServiceDeployments({ serviceDeploymentArns: [arn] })
  expect(['PENDING', 'IN_PROGRESS']).toContain(serviceDeployments?.[0]?.status)
  expect(await ecs.stopServiceDeployment({ serviceDeploymentArn: arn, stopType: 'ROLLBACK' })).toMatchObject({
    serviceDeploymentArn: arn,
  })
  // The reason is what Terraform shows as the error of the apply.
  expect(await deploymentEnded(ecs, arn)).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: expect.any(String) as unknown,
  })
  expect(await findService(ecs, 'tf', 'web')).toMatchObject({ taskDefinition: good, runningCount: 2 })
})

test.concurrent('aws_ecs_service with force_delete goes with its tasks', async () => {
  const { ecs } = await stage.withCluster('tf')
  await ecs.createService(created('tf', 'web', await register(ecs, 'tf', running)))
  await ecs.deleteService({ cluster: 'tf', service: 'web', force: true })
  await eventually('the service is INACTIVE', async () => {
    return (await findService(ecs, 'tf', 'web'))?.status === 'INACTIVE'
  })
  expect(await findService(ecs, 'tf', 'never')).toBeUndefined()
})

test.concurrent('aws_ecs_task_set', async () => {
  const { ecs } = stage.newAccount()
  await ecs.createCluster({ clusterName: 'tf' })
  await ecs.createService({
    cluster: 'tf',
    serviceName: 'web',
    desiredCount: 0,
    deploymentController: { type: 'EXTERNAL' },
  })
  const taskDefinition = await register(ecs, 'tf', running)
  const { taskSet } = await ecs.createTaskSet({
    cluster: 'tf',
    service: 'web',
    taskDefinition,
    clientToken: 'terraform-1',
    externalId: 'tf',
    launchType: 'EC2',
    scale: { value: 100, unit: 'PERCENT' },
    tags,
  })
  const id = taskSet?.id ?? ''
  const find = async () => {
    const answer = await ecs.describeTaskSets({
      cluster: 'tf',
      service: 'web',
      taskSets: [id],
      include: ['TAGS'],
    })
    return answer.taskSets
  }
  await eventually('the task set is stable', async () => {
    return (await find())?.[0]?.stabilityStatus === 'STEADY_STATE'
  })
  expect(await find()).toMatchObject([
    { id, status: 'ACTIVE', externalId: 'tf', launchType: 'EC2', taskDefinition, tags },
  ])
  await ecs.updateTaskSet({
    cluster: 'tf',
    service: 'web',
    taskSet: id,
    scale: { value: 50, unit: 'PERCENT' },
  })
  expect(await find()).toMatchObject([{ scale: { value: 50, unit: 'PERCENT' } }])
  await ecs.deleteTaskSet({ cluster: 'tf', service: 'web', taskSet: id, force: true })
  await eventually('the task set is gone', async () => (await find())?.length === 0)
})

test.concurrent('aws_ecs_service with a capacity provider strategy', async () => {
  const account = stage.newAccount()
  const { ecs } = account
  for (const name of ['blue', 'green'])
    await ecs.createCapacityProvider({
      name,
      autoScalingGroupProvider: {
        autoScalingGroupArn: `arn:aws:autoscaling:us-east-1:${account.id}:autoScalingGroup:7c1b2c44-0000-4000-8000-000000000000:autoScalingGroupName/${name}`,
      },
    })
  await ecs.createCluster({ clusterName: 'tf', capacityProviders: ['blue', 'green'] })
  const { launchType: _, ...rest } = created('tf', 'web', await register(ecs, 'tf', running))
  const strategy = (capacityProvider: string) => [{ capacityProvider, weight: 1, base: 0 }]
  await ecs.createService({ ...rest, desiredCount: 0, capacityProviderStrategy: strategy('blue') })
  const service = await findService(ecs, 'tf', 'web')
  expect(service?.capacityProviderStrategy).toEqual(strategy('blue'))
  // Terraform would plan to replace a service that shows both.
  expect(service?.launchType).toBeUndefined()
  await ecs.updateService({
    cluster: 'tf',
    service: 'web',
    capacityProviderStrategy: strategy('green'),
    forceNewDeployment: true,
  })
  expect((await findService(ecs, 'tf', 'web'))?.capacityProviderStrategy).toEqual(strategy('green'))
})

test.concurrent('aws_ecs_service with a blue/green deployment is waited for in the same way', async () => {
  const { ecs } = await stage.withCluster('tf')
  const createTime = operationTimeNow()
  const input = created('tf', 'web', await register(ecs, 'tf', running))
  const { deploymentConfiguration } = input
  await ecs.createService({
    ...input,
    deploymentConfiguration: { ...deploymentConfiguration, strategy: 'BLUE_GREEN', bakeTimeInMinutes: 0 },
  })
  const service = await steady(ecs, 'tf', 'web', createTime)
  expect(service.deploymentConfiguration).toMatchObject({ strategy: 'BLUE_GREEN', bakeTimeInMinutes: 0 })
  const second = await register(ecs, 'tf', { ...running, image: 'nginx:2' })
  const updateTime = operationTimeNow()
  await ecs.updateService({ cluster: 'tf', service: 'web', taskDefinition: second })
  expect(await steady(ecs, 'tf', 'web', updateTime)).toMatchObject({
    taskDefinition: second,
    deployments: [{ status: 'PRIMARY', taskDefinition: second }],
    runningCount: 2,
  })
})
