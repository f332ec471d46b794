import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import type { FargateLimits } from '@berth/control-plane/domain/fargate.ts'
import { count, createService, minute, update } from './clients.ts'
import { batchImage } from './host.ts'
import type { World } from './world.ts'

const cpu = 512
const memoryMiB = 1024
const steadyCount = 3
const mixedCount = 4
/** What both services want in the end: whatever else is to run on demand needs the room of a Spot task. */
const tasksMax = steadyCount + mixedCount
const limits: FargateLimits = {
  cpu: cpu * tasksMax,
  memoryMiB: memoryMiB * tasksMax,
  cpuArchitecture: 'x86_64',
}

async function registerFor(world: World, family: string, image: string): Promise<string> {
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    {
      family,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: String(cpu),
      memory: String(memoryMiB),
      containerDefinitions: [{ name: 'app', image, portMappings: [{ containerPort: 80 }] }],
    },
  )
  return taskDefinition.taskDefinitionArn
}

/** One service on demand, one on Spot but for its base, and tasks that need the room of those on Spot now and then. */
async function shareFargate(world: World): Promise<void> {
  const { Subnets } = await world.request<{ Subnets: Array<{ SubnetId: string }> }>('DescribeSubnets', {})
  const networkConfiguration: NetworkConfiguration = {
    awsvpcConfiguration: { subnets: Subnets.map(({ SubnetId }) => SubnetId) },
  }
  await world.request('PutClusterCapacityProviders', {
    cluster: 'default',
    capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    defaultCapacityProviderStrategy: [],
  })
  const web = await registerFor(world, 'web', 'web')
  const batch = await registerFor(world, 'batch', batchImage)
  await createService(world, {
    serviceName: 'steady',
    taskDefinition: web,
    desiredCount: steadyCount,
    launchType: 'FARGATE',
    networkConfiguration,
  })
  const { clientToken, deploymentConfiguration } = {
    clientToken: world.chance.ids.hex(32),
    deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 200 },
  }
  await world.request('CreateService', {
    serviceName: 'mixed',
    taskDefinition: web,
    desiredCount: mixedCount,
    clientToken,
    deploymentConfiguration,
    networkConfiguration,
    capacityProviderStrategy: [
      { capacityProvider: 'FARGATE', base: 1, weight: 0 },
      { capacityProvider: 'FARGATE_SPOT', weight: 1 },
    ],
  })
  for (let round = 0; round < 6; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    if (world.chance.happens(0.6))
      await world.request('RunTask', {
        taskDefinition: batch,
        count: count(world, 1, 4),
        launchType: 'FARGATE',
        clientToken: world.chance.ids.hex(32),
        networkConfiguration,
      })
    else {
      const service = world.chance.oneOf(['steady', 'mixed']) ?? 'steady'
      await update(world, service, { desiredCount: count(world, 0, 5) })
      if (world.chance.happens(0.5))
        await update(world, service, { taskDefinition: await registerFor(world, 'web', `web:${round}`) })
    }
  }
  await update(world, 'steady', { desiredCount: steadyCount })
  await update(world, 'mixed', { desiredCount: mixedCount })
  world.expectations.push(({ controlPlane }) => {
    const own = controlPlane?.store
      .list('containerInstance')
      .filter(({ accountId }) => accountId === '000000000000')
    return own?.length === 0 ? undefined : 'the account has container instances'
  })
}

export const fargate = {
  hosts: 0,
  withProvider: true,
  fargate: limits,
  faults: {
    network: { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 },
    providerFailure: 0.05,
    controlPlaneCrashMeanMs: 3 * minute,
    crashAtWrite: 0.005,
    agentCrashMeanMs: minute,
    hostLossMeanMs: 3 * minute,
    containerDeathMeanMs: 2 * minute,
  },
  play: shareFargate,
}
