/** Scenarios of what breaks under services: machines, zones, images, clocks, capacity. */
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
import { crashingImage, missingImage, sickImage } from './host.ts'
import type { NetworkFaults } from './network.ts'
import { large } from './task-shapes.ts'
import type { World } from './world.ts'

const network: NetworkFaults = { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 }
const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c']

/** So many tasks that every percentage lets a deployment move. */
const movable = (world: World, most: number): number =>
  world.chance.happens(0.15) ? 0 : count(world, 2, most)

const upHosts = (world: World): World['hosts'] => world.hosts.filter((host) => host.up)

/** One machine after the other is emptied or not, breaks, and is replaced. */
async function failNodes(world: World): Promise<void> {
  await createService(world, { serviceName: 'web', taskDefinition: await register(world, 'web', 'web') })
  for (const host of upHosts(world)) {
    await world.sleep(world.chance.between(0.2, 2) * minute)
    const containerInstance = host.agent?.identity().containerInstanceArn
    if (containerInstance !== undefined && world.chance.happens(0.5)) {
      world.note(`${containerInstance} becomes DRAINING`)
      await world.request('UpdateContainerInstancesState', {
        containerInstances: [containerInstance],
        status: 'DRAINING',
      })
      await world.sleep(world.chance.between(0, 2) * minute)
    }
    await world.loseHost(host)
    await world.sleep(world.chance.between(0, minute))
    await world.addHost(host)
  }
}

/** A zone is lost with all its machines while a service is spread over three, and comes back empty. */
async function loseZones(world: World): Promise<void> {
  const spread = { type: 'spread' as const, field: 'attribute:ecs.availability-zone' }
  await createService(world, {
    serviceName: 'web',
    taskDefinition: await register(world, 'web', 'web', large),
    placementStrategy: [spread],
  })
  for (let round = 0; round < 2; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    const zone = world.chance.oneOf(zones) ?? ''
    const lost = upHosts(world).filter((host) => host.zone === zone)
    await world.loseZone(zone)
    await world.sleep(world.chance.between(0, 2 * minute))
    if (world.chance.happens(0.5)) await update(world, 'web', { desiredCount: movable(world, 6) })
    for (const host of lost) await world.addHost(host)
  }
}

async function reviseAndScale(world: World, family: string, alone = false): Promise<void> {
  const hasCheck = world.chance.happens(0.5)
  const shape = { hasCheck, alone }
  await createService(world, {
    serviceName: family,
    taskDefinition: await register(world, family, family, shape),
  })
  for (let round = 0; round < 4; round++) {
    await world.sleep(world.chance.between(0, 1.5 * minute))
    if (world.chance.happens(0.5)) await update(world, family, { desiredCount: movable(world, 8) })
    else
      await update(world, family, {
        taskDefinition: await register(world, family, `${family}:${round}`, shape),
      })
  }
}

/** Revisions that start and end again at once, or never pass their health checks; the last one is good. */
async function reviseBadly(world: World, image: string): Promise<void> {
  const [minimumHealthyPercent, maximumPercent] = world.chance.oneOf(percentages) ?? [100, 200]
  const rollback = world.chance.happens(0.5)
  const deploymentCircuitBreaker = { enable: rollback || world.chance.happens(0.5), rollback }
  const good = await register(world, 'web', 'web', { hasCheck: true })
  await createService(world, {
    serviceName: 'web',
    taskDefinition: good,
    desiredCount: count(world, 2, 4),
    deploymentConfiguration: { minimumHealthyPercent, maximumPercent, deploymentCircuitBreaker },
  })
  await world.sleep(world.chance.between(0, 3 * minute))
  await update(world, 'web', { taskDefinition: await register(world, 'web', image, { hasCheck: true }) })
  await world.sleep(world.chance.between(1, 12) * minute)
  await update(world, 'web', { taskDefinition: good })
}

/** What never is healthy is given up by the circuit breaker, and what served before is what serves. */
async function rollBackSick(world: World): Promise<void> {
  const good = await register(world, 'web', 'web', { hasCheck: true })
  await createService(world, {
    serviceName: 'web',
    taskDefinition: good,
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  await world.sleep(3 * minute)
  await world.request('UpdateService', {
    service: 'web',
    taskDefinition: await register(world, 'web', sickImage, { hasCheck: true }),
  })
  expectService(world, 'web', { taskDefinition: good })
  await world.sleep(10 * minute)
}

/** All machines go, or all but one; clients go on asking; then others come. */
async function missCapacity(world: World): Promise<void> {
  await createService(world, {
    serviceName: 'web',
    taskDefinition: await register(world, 'web', 'web', large),
  })
  for (let round = 0; round < 2; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    const lost = upHosts(world).slice(world.chance.happens(0.5) ? 1 : 0)
    await Promise.all(lost.map((host) => world.loseHost(host)))
    await world.sleep(world.chance.between(0, 10 * minute))
    await update(world, 'web', { desiredCount: movable(world, 8) })
    if (world.chance.happens(0.5))
      await update(world, 'web', { taskDefinition: await register(world, 'web', `web:${round}`, large) })
    await world.sleep(world.chance.between(0, 10 * minute))
    for (const host of lost) await world.addHost(host)
  }
}

/** Each deployment begins before the one before it has ended; some cannot start. */
async function pileDeployments(world: World): Promise<void> {
  await createService(world, { serviceName: 'web', taskDefinition: await register(world, 'web', 'web') })
  for (let round = 0; round < 12; round++) {
    await world.sleep(world.chance.between(0, world.chance.happens(0.2) ? 2 * minute : 15_000))
    const image = world.chance.oneOf(['web', 'web', `web:${round}`, missingImage, crashingImage]) ?? 'web'
    await update(world, 'web', { taskDefinition: await register(world, 'web', image) })
  }
  await update(world, 'web', { taskDefinition: await register(world, 'web', 'web') })
}

/** Scaled up and down faster than tasks can start. */
export async function scaleInStorms(world: World, serviceName: string): Promise<void> {
  await createService(world, {
    serviceName,
    taskDefinition: await register(world, serviceName, serviceName),
  })
  for (let round = 0; round < 20; round++) {
    await world.sleep(world.chance.between(0, world.chance.happens(0.2) ? minute : 3_000))
    await update(world, serviceName, { desiredCount: movable(world, 15) })
  }
}

const providers = ['steady', 'spot']

/** Services whose tasks are shared out between two capacity providers, scaled and revised. */
export async function shareOut(world: World): Promise<void> {
  for (const name of providers)
    await world
      .request('CreateCapacityProvider', {
        name,
        autoScalingGroupProvider: { autoScalingGroupArn: `${name}-instances` },
      })
      // A copy, or a request whose answer was lost, may have made it before.
      .catch(ifNamed('ClientException'))
  const base = count(world, 0, 2)
  const strategy = [
    { capacityProvider: 'steady', base, weight: 1 },
    { capacityProvider: 'spot', weight: count(world, 1, 3) },
  ]
  await world.request('PutClusterCapacityProviders', {
    cluster: 'default',
    capacityProviders: providers,
    defaultCapacityProviderStrategy: strategy,
  })
  const taskDefinition = await register(world, 'shared', 'shared')
  const [minimumHealthyPercent, maximumPercent] = world.chance.oneOf(percentages) ?? [100, 200]
  await world.request('CreateService', {
    serviceName: 'shared',
    taskDefinition,
    desiredCount: count(world, 2, 6),
    clientToken: world.chance.ids.hex(32),
    deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
  })
  for (let round = 0; round < 4; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    if (world.chance.happens(0.6)) await update(world, 'shared', { desiredCount: movable(world, 10) })
    else
      await update(world, 'shared', {
        taskDefinition: await register(world, 'shared', `shared:${round}`),
      })
  }
  // Scaling in takes what is pending first, of the base too; what comes then goes to a base that lacks.
  await update(world, 'shared', { desiredCount: 12 })
  world.expectations.push(({ controlPlane }) => {
    const tasks = controlPlane?.store
      .list('task')
      .filter(({ group, lastStatus }) => group === 'service:shared' && lastStatus !== 'STOPPED')
    const steady = tasks?.filter(({ capacityProviderName }) => capacityProviderName === 'steady').length ?? 0
    const least = Math.min(base, tasks?.length ?? 0)
    return steady < least ? `${steady} tasks are on steady, the base of ${base} lacks` : undefined
  })
}

/** As short as it may be with all that tasks and services do. */
async function briefly(world: World): Promise<void> {
  // An agent whose registration got no answer tries again after twenty seconds.
  await world.sleep(30_000)
  const taskDefinition = await register(world, 'web', 'web', { alone: true })
  await createService(world, { serviceName: 'web', taskDefinition, desiredCount: 2 })
  const { tasks } = await world.request<{ tasks: Array<{ taskArn: string }> }>('RunTask', {
    taskDefinition,
    clientToken: world.chance.ids.hex(32),
  })
  await world.sleep(50_000)
  const next = await register(world, 'web', 'web:2', { alone: true })
  await update(world, 'web', { taskDefinition: next })
  await world.sleep(20_000)
  const [task] = tasks
  if (task) await world.request('StopTask', { task: task.taskArn })
  await world.sleep(40_000)
  await update(world, 'web', { desiredCount: 1 })
}

export const faultScenarios = {
  'rolling-node-failures': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: 3 * minute },
    play: failNodes,
  },
  'zone-loss': {
    hosts: 6,
    zones,
    faults: { network, controlPlaneCrashMeanMs: 3 * minute, agentCrashMeanMs: minute },
    play: loseZones,
  },
  'flapping-agents': {
    hosts: 3,
    faults: {
      network,
      runtime: { unreachable: 0.01, crash: 0, agentDeath: 0.05 },
      agentCrashMeanMs: 3_000,
      agentDownMsMax: 8_000,
      connectionLossMeanMs: 10_000,
    },
    play: (world: World) => reviseAndScale(world, 'web'),
  },
  'slow-pulls': {
    hosts: 3,
    faults: {
      network,
      runtime: { unreachable: 0.05, crash: 0, pullMsMax: 5 * minute },
      agentCrashMeanMs: 2 * minute,
      controlPlaneCrashMeanMs: 3 * minute,
    },
    play: (world: World) => reviseAndScale(world, 'web'),
  },
  'crash-loop': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: 3 * minute },
    play: (world: World) => reviseBadly(world, crashingImage),
  },
  'never-healthy': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: 3 * minute },
    play: (world: World) => reviseBadly(world, sickImage),
  },
  'sick-rollback': { hosts: 3, faults: { network }, play: rollBackSick },
  'missing-capacity': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: 5 * minute },
    play: missCapacity,
  },
  'piled-deployments': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: minute, crashAtWrite: 0.01, agentCrashMeanMs: minute },
    play: pileDeployments,
  },
  'scale-storms': {
    hosts: 3,
    faults: { network, controlPlaneCrashMeanMs: minute, crashAtWrite: 0.01, agentCrashMeanMs: minute },
    play: async (world: World) => {
      await Promise.all([scaleInStorms(world, 'web'), scaleInStorms(world, 'api')])
    },
  },
  'clock-jumps': {
    hosts: 3,
    faults: {
      network,
      clockJumpMeanMs: 15_000,
      clockJumpMsMax: 5 * minute,
      agentCrashMeanMs: minute,
      controlPlaneCrashMeanMs: 2 * minute,
    },
    play: (world: World) => reviseAndScale(world, 'web', true),
  },
  'capacity-providers': {
    hosts: 4,
    capacityProvider: providers,
    faults: {
      network,
      controlPlaneCrashMeanMs: 2 * minute,
      agentCrashMeanMs: minute,
      hostLossMeanMs: 4 * minute,
    },
    play: shareOut,
  },
  /** Nothing fails in it: it is there to let the control plane die at each of its writes. */
  brief: { hosts: 2, faults: {}, play: briefly },
}
