import {
  count,
  createService,
  expectService,
  ifNamed,
  minute,
  percentages,
  register,
  update,
} from './clients.ts'
import { daemonService, managedDaemon, managedProvider } from './daemon-scenarios.ts'
import { batchImage, missingImage } from './host.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { NetworkFaults } from './network.ts'
import type { FargateLimits } from '@berth/control-plane/domain/fargate.ts'
import { fargate } from './fargate-scenario.ts'
import { faultScenarios, scaleInStorms, shareOut } from './fault-scenarios.ts'
import { strategyScenarios } from './strategy-scenarios.ts'
import { schedules } from './schedules.ts'
import { protectSome, taskProtection } from './task-protection.ts'
import { large, type Shape } from './task-shapes.ts'
import type { Faults } from './faults.ts'
import type { World } from './world.ts'

export interface Scenario {
  readonly hosts: number
  /** Its clients may ask EC2 for instances. */
  readonly withProvider?: boolean
  /** What there is for Fargate tasks. */
  readonly fargate?: FargateLimits
  /** The capacity providers that its hosts belong to, and their zones, one after the other. */
  readonly capacityProvider?: string | readonly string[]
  readonly zones?: readonly string[]
  readonly faults: Faults
  /** What clients do; faults end when it has ended. */
  readonly play: (world: World) => Promise<void>
}

const badNetwork: NetworkFaults = { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 }
const ifRefused = (error: unknown): void => {
  if (!(error instanceof AwsError)) throw error
}
const ifGone = ifNamed('IncorrectInstanceState')

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

/** Clients stop service deployments, some of which fail by themselves, at any moment. */
async function stopDeployments(world: World): Promise<void> {
  const deploymentCircuitBreaker = { enable: world.chance.happens(0.7), rollback: true }
  const [minimumHealthyPercent, maximumPercent] = world.chance.oneOf(percentages) ?? [100, 200]
  const deploymentConfiguration = { minimumHealthyPercent, maximumPercent, deploymentCircuitBreaker }
  const taskDefinition = await register(world, 'web', 'web')
  await createService(world, { serviceName: 'web', taskDefinition, deploymentConfiguration })
  for (let round = 0; round < 3; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    const image = world.chance.happens(0.4) ? missingImage : `web:${round}`
    await update(world, 'web', { taskDefinition: await register(world, 'web', image) })
    // What is stopped or breaks does not end as the update says.
    world.expectations.length = 0
    await world.sleep(world.chance.between(0, 1.5 * minute))
    if (world.chance.happens(0.7)) await stopNewest(world)
  }
  await update(world, 'web', { taskDefinition: await register(world, 'web', 'web') })
}

/** Stops the newest service deployment, if it still can be, and then mostly waits for its end. */
async function stopNewest(world: World): Promise<void> {
  const { serviceDeployments } = await world.request<{
    serviceDeployments: Array<{ serviceDeploymentArn: string }>
  }>('ListServiceDeployments', { service: 'web' })
  const arn = serviceDeployments[0]?.serviceDeploymentArn ?? ''
  world.note(`StopServiceDeployment ${arn}`)
  await world
    .request('StopServiceDeployment', { serviceDeploymentArn: arn })
    .catch(ifNamed('ConflictException'))
  if (world.chance.happens(0.3)) return
  for (let polls = 0; polls < 60; polls++) {
    const answer = await world.request<{ serviceDeployments: Array<{ status: string }> }>(
      'DescribeServiceDeployments',
      { serviceDeploymentArns: [arn] },
    )
    const status = answer.serviceDeployments[0]?.status ?? 'missing'
    if (['SUCCESSFUL', 'STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'].includes(status)) return
    await world.sleep(10_000)
  }
  world.fail(new Error(`${arn} was stopped and has not finished`))
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
    // The answer to the first request may be lost, and the service gone by now.
    await world
      .request('DeleteService', { service: 'brief', force: true })
      .catch(ifNamed('ServiceNotFoundException'))
  })
  await Promise.all([rollServices(world), runTasks(world), deleted])
}

/** What the other scenarios do one by one. */
async function everythingAtOnce(world: World): Promise<void> {
  const protecting = async (): Promise<void> => {
    await world.sleep(minute)
    for (let round = 0; round < 3; round++) {
      await world.sleep(world.chance.between(0, minute))
      // The service may not be there yet, and a task may go before its protection comes.
      await protectSome(world).catch(ifRefused)
    }
  }
  await Promise.all([
    everything(world),
    shareOut(world),
    scaleInStorms(world, 'storm'),
    protecting(),
    world.chance.happens(0.3) ? daemonService(world) : undefined,
  ])
}

/** A service waits for room: it gets it soon after others make some. */
async function fillCluster(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web', large)
  const { tasks } = await world.request<{ tasks: Array<{ taskArn: string }> }>('RunTask', {
    taskDefinition,
    count: 8,
    clientToken: world.chance.ids.hex(32),
  })
  await createService(world, { serviceName: 'web', taskDefinition, desiredCount: 2 })
  await world.sleep(world.chance.between(5, 30) * minute)
  for (const { taskArn } of tasks.slice(0, 2)) {
    await world.request('StopTask', { task: taskArn })
    await world.sleep(world.chance.between(0, minute))
  }
  await world.sleep(minute)
  const running = world.controlPlane?.store
    .list('task')
    .filter((task) => task.serviceArn !== undefined && task.lastStatus === 'RUNNING')
  if (running?.length !== 2)
    world.fail(new Error(`the room for ${running?.length} tasks of 2 was used in time`))
}

async function instanceIds(world: World, states: readonly string[]): Promise<string[]> {
  const { Reservations } = await world.request<{
    Reservations: Array<{ Instances: Array<{ InstanceId: string; State: { Name: string } }> }>
  }>('DescribeInstances', {})
  return Reservations.flatMap(({ Instances }) => Instances)
    .filter(({ State }) => states.includes(State.Name))
    .map(({ InstanceId }) => InstanceId)
}

async function launch(world: World, instances: number): Promise<void> {
  await world.request('RunInstances', {
    MinCount: 1,
    MaxCount: instances,
    InstanceType: 't3.medium',
    ClientToken: world.chance.ids.hex(32),
  })
}

/** What a client does to an instance, whose state may not allow it any more. */
async function disturb(world: World, instanceId: string): Promise<void> {
  const act =
    world.chance.oneOf(['TerminateInstances', 'StopInstances', 'RebootInstances', 'lose'] as const) ?? 'lose'
  world.note(`${act} ${instanceId}`)
  const host = world.hosts.find((candidate) => candidate.instanceId === instanceId)
  if (act === 'lose') return host && world.loseHost(host)
  await world.request(act, { InstanceIds: [instanceId] }).catch(ifGone)
  if (act !== 'StopInstances') return
  await world.sleep(world.chance.between(0, minute))
  await world.request('StartInstances', { InstanceIds: [instanceId] }).catch(ifGone)
}

async function runInstances(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web', large)
  await createService(world, { serviceName: 'web', taskDefinition })
  await launch(world, 3)
  for (let round = 0; round < 4; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    const instanceId = world.chance.oneOf(await instanceIds(world, ['running']))
    if (instanceId !== undefined) await disturb(world, instanceId)
    if (world.chance.happens(0.5)) await launch(world, 1)
    await update(world, 'web', { desiredCount: count(world, 1, 8) })
  }
  for (;;) {
    if ((await instanceIds(world, ['running'])).length >= 3) return
    const lacking = 3 - (await instanceIds(world, ['running', 'pending'])).length
    if (lacking > 0) await launch(world, lacking)
    await world.sleep(20_000)
  }
}

const network = { network: badNetwork, connectionLossMeanMs: minute }
const runtime = { unreachable: 0.02, crash: 0.02 }

async function fillFleet(world: World): Promise<void> {
  const taskDefinition = await register(world, 'web', 'web', { alone: true })
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
  'stopped-deployments': {
    hosts: 3,
    faults: { ...network, runtime, controlPlaneCrashMeanMs: 3 * minute },
    play: stopDeployments,
  },
  'instance-loss': { hosts: 4, faults: { ...network, hostLossMeanMs: 1.5 * minute }, play: keepServices },
  'control-plane-crashes': {
    hosts: 3,
    faults: { network: badNetwork, controlPlaneCrashMeanMs: minute, crashAtWrite: 0.03 },
    play: everything,
  },
  'agent-crashes': {
    hosts: 3,
    faults: {
      ...network,
      runtime: { ...runtime, agentDeath: 0.05 },
      agentCrashMeanMs: 20_000,
      runtimeRestartMeanMs: minute,
    },
    play: everything,
  },
  // Connections stay up, so that nothing is told again only because an agent came back.
  'agent-disk-errors': {
    hosts: 3,
    faults: { runtime: { ...runtime, diskFailure: 0.15 } },
    play: keepServices,
  },
  'daemon-service': {
    hosts: 3,
    faults: {
      ...network,
      runtime: { ...runtime, agentDeath: 0.02 },
      controlPlaneCrashMeanMs: 1.5 * minute,
      crashAtWrite: 0.01,
      agentCrashMeanMs: 40_000,
      containerDeathMeanMs: 2 * minute,
    },
    play: daemonService,
  },
  'managed-daemon': {
    hosts: 3,
    capacityProvider: managedProvider,
    faults: {
      ...network,
      runtime: { ...runtime, agentDeath: 0.02 },
      controlPlaneCrashMeanMs: 1.5 * minute,
      crashAtWrite: 0.01,
      agentCrashMeanMs: 40_000,
      containerDeathMeanMs: 2 * minute,
    },
    play: managedDaemon,
  },
  'task-protection': taskProtection,
  schedules,
  ...strategyScenarios,
  ...faultScenarios,
  fargate,
  'full-cluster': { hosts: 2, faults: {}, play: fillCluster },
  'ec2-instances': {
    hosts: 0,
    withProvider: true,
    faults: {
      network: badNetwork,
      providerFailure: 0.05,
      controlPlaneCrashMeanMs: minute,
      crashAtWrite: 0.02,
    },
    play: runInstances,
  },
  chaos: {
    hosts: 6,
    zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
    capacityProvider: ['steady', 'spot'],
    faults: {
      ...network,
      runtime: { ...runtime, agentDeath: 0.02, diskFailure: 0.02 },
      controlPlaneCrashMeanMs: 1.5 * minute,
      crashAtWrite: 0.01,
      agentCrashMeanMs: 40_000,
      hostLossMeanMs: 3 * minute,
      containerDeathMeanMs: minute,
      healthLossMeanMs: 3 * minute,
      runtimeRestartMeanMs: 2 * minute,
      clockJumpMeanMs: 2 * minute,
      clockJumpMsMax: 2 * minute,
    },
    play: everythingAtOnce,
  },
}
