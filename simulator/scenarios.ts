import type { CreateServiceRequest, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { batchImage, missingImage } from './host.ts'
import type { NetworkFaults } from './network.ts'
import type { Faults, World } from './world.ts'

export interface Scenario {
  readonly hosts: number
  readonly faults: Faults
  /** What clients do; faults end when it has ended. */
  readonly play: (world: World) => Promise<void>
}

const badNetwork: NetworkFaults = { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 }
const minute = 60_000
/** minimumHealthyPercent and maximumPercent that let a deployment of two tasks or more move. */
const percentages = [
  [100, 200],
  [50, 100],
  [0, 100],
  [50, 150],
  [100, 150],
  [75, 200],
] as const

const count = (world: World, low: number, high: number): number =>
  Math.floor(world.chance.between(low, high + 1))

interface Shape {
  readonly cpu?: number
  readonly memory?: number
  readonly hostPort?: number
  readonly hasCheck?: boolean
}

/** So large that four fill a host by their memory. */
const large: Shape = { cpu: 512, memory: 1024 }

async function register(world: World, family: string, image: string, shape: Shape = {}): Promise<string> {
  const { cpu = 128, memory = 128, hostPort, hasCheck } = shape
  const input: RegisterTaskDefinitionRequest = {
    family,
    containerDefinitions: [
      {
        name: 'app',
        image,
        cpu,
        memory,
        essential: true,
        ...(hostPort !== undefined && { portMappings: [{ containerPort: 80, hostPort }] }),
        ...(hasCheck && { healthCheck: { command: ['CMD-SHELL', 'true'] } }),
      },
    ],
  }
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    input,
  )
  return taskDefinition.taskDefinitionArn
}

async function createService(
  world: World,
  given: Partial<CreateServiceRequest> & { serviceName: string },
): Promise<void> {
  const [minimumHealthyPercent, maximumPercent] = world.chance.oneOf(percentages) ?? [100, 200]
  const input: CreateServiceRequest = {
    desiredCount: count(world, 2, 6),
    launchType: 'EC2',
    clientToken: world.chance.ids.hex(32),
    deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
    ...given,
  }
  world.note(`CreateService ${JSON.stringify(input)}`)
  await world.request('CreateService', input)
}

async function update(
  world: World,
  service: string,
  change: { taskDefinition?: string; desiredCount?: number },
): Promise<void> {
  world.expectations.length = 0
  world.note(`UpdateService ${service} ${JSON.stringify(change)}`)
  await world.request('UpdateService', { service, ...change })
  expectService(world, service, change)
}

/** The service must end as the last update that was answered says. */
function expectService(
  world: World,
  serviceName: string,
  change: { taskDefinition?: string; desiredCount?: number },
): void {
  const { taskDefinition, desiredCount } = change
  world.expectations.push(({ controlPlane }) => {
    const service = controlPlane?.store.list('service').find((row) => row.serviceName === serviceName)
    const same =
      (desiredCount === undefined || service?.desiredCount === desiredCount) &&
      (taskDefinition === undefined || service?.taskDefinitionArn === taskDefinition)
    return same ? undefined : `the update of ${serviceName} to ${JSON.stringify(change)} is lost`
  })
}

async function runTasks(world: World, shape: Shape = {}): Promise<void> {
  const web = await register(world, 'web', 'web', shape)
  const batch = await register(world, 'batch', batchImage, { ...shape, hostPort: 8080 })
  const tasks: string[] = []
  for (let round = 0; round < 6; round++) {
    const answer = await world.request<{ tasks: Array<{ taskArn: string }> }>('RunTask', {
      taskDefinition: world.chance.happens(0.5) ? web : batch,
      count: count(world, 1, 6),
      clientToken: world.chance.ids.hex(32),
    })
    world.note(`RunTask ${answer.tasks.map(({ taskArn }) => taskArn).join(' ')}`)
    tasks.push(...answer.tasks.map(({ taskArn }) => taskArn))
    await world.sleep(world.chance.between(0, 30_000))
    const stopped = world.chance.oneOf(tasks)
    if (stopped !== undefined && world.chance.happens(0.5)) {
      world.note(`StopTask ${stopped}`)
      await world.request('StopTask', { task: stopped })
    }
  }
}

async function scaleService(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web', {
    ...large,
    hasCheck: world.chance.happens(0.3),
  })
  await createService(world, { serviceName: 'web', taskDefinition })
  for (let round = 0; round < 4; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    await update(world, 'web', { desiredCount: count(world, 0, 12) })
  }
}

async function rollServices(world: World): Promise<void> {
  const hasCheck = world.chance.happens(0.5)
  await createService(world, {
    serviceName: 'web',
    taskDefinition: await register(world, 'web', 'web', { hasCheck }),
  })
  for (let round = 0; round < 3; round++) {
    await world.sleep(world.chance.between(0, 3 * minute))
    const taskDefinition = await register(world, 'web', `web:${round}`, { hasCheck })
    const desiredCount = world.chance.happens(0.3) ? { desiredCount: count(world, 2, 8) } : {}
    await update(world, 'web', { taskDefinition, ...desiredCount })
  }
}

/** A revision that cannot start is given up, and what served before goes on. */
async function breakCircuit(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web')
  const deploymentCircuitBreaker = { enable: true, rollback: true }
  const deploymentConfiguration = {
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    deploymentCircuitBreaker,
  }
  await createService(world, { serviceName: 'web', taskDefinition, deploymentConfiguration })
  await world.sleep(5 * minute)
  const broken = await register(world, 'web', missingImage)
  await world.request('UpdateService', { service: 'web', taskDefinition: broken })
  expectService(world, 'web', { taskDefinition })
  await world.sleep(minute)
}

async function keepServices(world: World): Promise<void> {
  await createService(world, { serviceName: 'web', taskDefinition: await register(world, 'web', 'web') })
  await runTasks(world)
  await world.sleep(3 * minute)
}

async function everything(world: World): Promise<void> {
  const deleted = register(world, 'brief', 'web').then(async (taskDefinition) => {
    await createService(world, { serviceName: 'brief', taskDefinition, desiredCount: 2 })
    await world.sleep(world.chance.between(0, 3 * minute))
    await world.request('DeleteService', { service: 'brief', force: true }).catch((error: unknown) => {
      // The answer to the first request was lost, and the service is gone by now.
      if (!(error instanceof AwsError && error.code === 'ServiceNotFoundException')) throw error
    })
  })
  await Promise.all([rollServices(world), runTasks(world), deleted])
}

const network = { network: badNetwork, connectionLossMeanMs: minute }
const runtime = { unreachable: 0.02, crash: 0.02 }

async function fillFleet(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web')
  for (let number = 0; number < 10; number++)
    await createService(world, { serviceName: `web${number}`, taskDefinition, desiredCount: 1_000 })
}

/** A fleet of the size that a large installation has: that the cost of each step does not grow with it. */
export const fleet: Scenario = { hosts: 1_000, faults: {}, play: fillFleet }

/** All that are played when none is named. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'run-task': { hosts: 2, faults: network, play: (world) => runTasks(world, large) },
  'service-scale': { hosts: 3, faults: { ...network, containerDeathMeanMs: minute }, play: scaleService },
  'rolling-update': {
    hosts: 3,
    faults: { ...network, runtime, healthLossMeanMs: 2 * minute },
    play: rollServices,
  },
  'circuit-breaker': { hosts: 3, faults: network, play: breakCircuit },
  'instance-loss': { hosts: 4, faults: { ...network, hostLossMeanMs: 1.5 * minute }, play: keepServices },
  'control-plane-crashes': {
    hosts: 3,
    faults: { network: badNetwork, controlPlaneCrashMeanMs: minute, crashAtWrite: 0.03 },
    play: everything,
  },
  'agent-crashes': {
    hosts: 3,
    faults: { ...network, runtime, agentCrashMeanMs: 20_000, runtimeRestartMeanMs: minute },
    play: everything,
  },
  chaos: {
    hosts: 4,
    faults: {
      ...network,
      runtime,
      controlPlaneCrashMeanMs: 1.5 * minute,
      crashAtWrite: 0.01,
      agentCrashMeanMs: 40_000,
      hostLossMeanMs: 3 * minute,
      containerDeathMeanMs: minute,
      healthLossMeanMs: 3 * minute,
      runtimeRestartMeanMs: 2 * minute,
    },
    play: everything,
  },
}
