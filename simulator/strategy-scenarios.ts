/** Scenarios of deployments that shift traffic, of task sets, and of services that spread over zones. */
import type { DeploymentConfiguration } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { missingImage } from './host.ts'
import { taskShape } from './task-shapes.ts'
import type { World } from './world.ts'

const minute = 60_000
const percentages = { minimumHealthyPercent: 100, maximumPercent: 200 }
const where = { cluster: 'default', service: 'web' }

/** What was asked for may have ended or gone by now. */
function ifTooLate(error: unknown): void {
  if (!(error instanceof AwsError)) throw error
}

const count = (world: World, low: number, high: number): number =>
  Math.floor(world.chance.between(low, high + 1))

async function register(world: World, image: string): Promise<string> {
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    { family: 'web', containerDefinitions: taskShape(world.chance, image, {}) },
  )
  return taskDefinition.taskDefinitionArn
}

async function change(world: World, given: object): Promise<void> {
  world.note(`UpdateService web ${JSON.stringify(given)}`)
  await world.request('UpdateService', { ...where, ...given })
}

async function update(world: World, given: object): Promise<void> {
  await setOutside(world, false)
  await change(world, given)
  await world.sleep(1_000)
  if (world.chance.happens(0.5)) await setOutside(world, true)
}

interface Described {
  readonly serviceDeploymentArn: string
  readonly status: string
  readonly lifecycleHookDetails?: ReadonlyArray<{ readonly hookId: string; readonly status: string }>
}

async function newest(world: World): Promise<Described | undefined> {
  const { serviceDeployments: briefs } = await world.request<{ serviceDeployments: Described[] }>(
    'ListServiceDeployments',
    where,
  )
  const { serviceDeployments } = await world.request<{ serviceDeployments: Described[] }>(
    'DescribeServiceDeployments',
    { serviceDeploymentArns: [briefs[0]?.serviceDeploymentArn ?? ''] },
  )
  return serviceDeployments[0]
}

const isOver = ({ status }: Described): boolean =>
  ['SUCCESSFUL', 'STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'].includes(status)

/** Ends the pauses of the newest deployment, mostly well, until it is over or `untilMs` has come. */
async function accompany(world: World, untilMs: number): Promise<Described | undefined> {
  for (;;) {
    const described = await newest(world)
    if (!described || isOver(described)) return described
    const pause = described.lifecycleHookDetails?.find(({ status }) => status === 'AWAITING_ACTION')
    if (pause && world.chance.happens(0.5)) {
      const action = world.chance.happens(0.85) ? 'CONTINUE' : 'ROLLBACK'
      const { serviceDeploymentArn } = described
      world.note(`ContinueServiceDeployment ${action} ${pause.hookId}`)
      await world
        .request('ContinueServiceDeployment', { serviceDeploymentArn, hookId: pause.hookId, action })
        .catch(ifTooLate)
    }
    if (world.clock.now() >= untilMs) return described
    await world.sleep(10_000)
  }
}

/**
 * Hooks that need functions, and alarms, are not for clients yet: they are put into the rows by hand, and taken out of the
 * service before a client changes it again.
 */
async function setOutside(world: World, enable: boolean): Promise<void> {
  await world.operate((tx) => {
    const [service] = tx.list('service')
    if (!service) return
    const { alarms: _alarms, ...deploymentConfiguration } = service.deploymentConfiguration
    const alarms = { alarmNames: ['errors', 'latency'], enable: true, rollback: true }
    tx.put('service', {
      ...service,
      deploymentConfiguration: { ...deploymentConfiguration, ...(enable && { alarms }) },
    })
    for (const row of tx.by('serviceDeployment', 'unfinished', service.serviceArn)) {
      const { lifecycle } = row
      if (!enable || !lifecycle || lifecycle.plan.hooks.some(({ hookTargetArn }) => hookTargetArn)) continue
      const stages = ['PRODUCTION_TRAFFIC_SHIFT', 'POST_PRODUCTION_TRAFFIC_SHIFT'] as const
      const hook = { hookTargetArn: 'function', roleArn: 'role', lifecycleStages: [...stages] }
      const plan = { ...lifecycle.plan, hooks: [...lifecycle.plan.hooks, hook] }
      tx.put('serviceDeployment', { ...row, lifecycle: { ...lifecycle, plan } })
    }
  })
}

/** Revisions come one after the other, some of which cannot start; clients stop, scale and overtake them. */
async function shiftTraffic(world: World, strategy: DeploymentConfiguration): Promise<void> {
  const { chance } = world
  const bakeTimeInMinutes = count(world, 0, 3)
  const lifecycleStages = (['POST_SCALE_UP', 'PRE_PRODUCTION_TRAFFIC_SHIFT'] as const).filter(() =>
    chance.happens(0.5),
  )
  const timeoutConfiguration = {
    timeoutInMinutes: 3,
    action: chance.oneOf(['CONTINUE', 'ROLLBACK'] as const),
  }
  const pause = { targetType: 'PAUSE' as const, lifecycleStages, timeoutConfiguration }
  await world.request('CreateService', {
    serviceName: 'web',
    taskDefinition: await register(world, 'web'),
    desiredCount: count(world, 1, 4),
    launchType: 'EC2',
    clientToken: chance.ids.hex(32),
    deploymentConfiguration: {
      ...percentages,
      ...strategy,
      bakeTimeInMinutes,
      deploymentCircuitBreaker: { enable: true, rollback: chance.happens(0.7) },
      ...(lifecycleStages.length > 0 && { lifecycleHooks: [pause] }),
    },
  })
  for (let round = 0; round < 4; round++) {
    await accompany(world, world.clock.now() + chance.between(0, 8 * minute))
    const act = chance.oneOf(['revise', 'revise', 'break', 'scale', 'stop'] as const)
    if (act === 'revise') await update(world, { taskDefinition: await register(world, `web:${round}`) })
    if (act === 'break') await update(world, { taskDefinition: await register(world, missingImage) })
    if (act === 'scale') await update(world, { desiredCount: count(world, 0, 5) })
    const { serviceDeploymentArn = '' } = (act === 'stop' && (await newest(world))) || {}
    if (serviceDeploymentArn === '') continue
    const stopType = chance.happens(0.7) ? 'ROLLBACK' : 'ABORT'
    world.note(`StopServiceDeployment ${stopType} ${serviceDeploymentArn}`)
    await world.request('StopServiceDeployment', { serviceDeploymentArn, stopType }).catch(ifTooLate)
  }
  await finish(world)
}

/** What goes wrong may roll a deployment back: clients try until one comes through. */
async function finish(world: World): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await update(world, { taskDefinition: await register(world, 'web'), desiredCount: 3 })
    const described = await accompany(world, world.clock.now() + 40 * minute)
    if (described?.status === 'SUCCESSFUL') return
  }
  world.fail(new Error('no deployment came through'))
}

interface TaskSets {
  readonly services: ReadonlyArray<{
    readonly taskSets: ReadonlyArray<{
      readonly id: string
      readonly status: string
      readonly externalId: string
    }>
  }>
}

/** An external controller makes, scales, prefers and deletes task sets, some of which cannot start. */
async function runTaskSets(world: World): Promise<void> {
  const { chance } = world
  await world.request('CreateService', {
    serviceName: 'web',
    desiredCount: count(world, 1, 5),
    deploymentController: { type: 'EXTERNAL' },
    clientToken: chance.ids.hex(32),
  })
  const scale = (): object => ({ value: chance.oneOf([0, 10, 33.3, 50, 100]), unit: 'PERCENT' })
  const described = async () =>
    (await world.request<TaskSets>('DescribeServices', { ...where, services: ['web'] })).services[0]
      ?.taskSets ?? []
  for (let round = 0; round < 10; round++) {
    await world.sleep(chance.between(0, 1.5 * minute))
    const chosen = chance.oneOf((await described()).filter(({ status }) => status !== 'DRAINING'))
    const act = chance.oneOf(['create', 'create', 'scale', 'prefer', 'delete', 'resize'] as const) ?? 'create'
    world.note(`${act} ${chosen?.id}`)
    const taskSet = chosen?.id ?? ''
    if (act === 'create') {
      const externalId = chance.happens(0.3) ? missingImage : 'web'
      const taskDefinition = await register(world, externalId)
      const clientToken = chance.ids.hex(32)
      await world
        .request('CreateTaskSet', { ...where, taskDefinition, externalId, scale: scale(), clientToken })
        .catch(ifTooLate)
    } else if (act === 'resize') await update(world, { desiredCount: count(world, 0, 6) })
    else if (!chosen) continue
    else if (act === 'scale')
      await world.request('UpdateTaskSet', { ...where, taskSet, scale: scale() }).catch(ifTooLate)
    else if (act === 'prefer')
      await world
        .request('UpdateServicePrimaryTaskSet', { ...where, primaryTaskSet: taskSet })
        .catch(ifTooLate)
    else await world.request('DeleteTaskSet', { ...where, taskSet, force: true }).catch(ifTooLate)
  }
  for (const { id, externalId } of await described())
    if (externalId === missingImage)
      await world
        .request('UpdateTaskSet', { ...where, taskSet: id, scale: { value: 0, unit: 'PERCENT' } })
        .catch(ifTooLate)
}

/** A service begins in one zone; others come, go and come back, while it is scaled, updated and protected. */
async function balanceZones(world: World): Promise<void> {
  const { chance } = world
  await world.request('CreateService', {
    serviceName: 'web',
    taskDefinition: await register(world, 'web'),
    desiredCount: count(world, 2, 7),
    launchType: 'EC2',
    clientToken: chance.ids.hex(32),
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: chance.oneOf([150, 200]) ?? 200,
    },
  })
  await world.sleep(chance.between(1, 3) * minute)
  for (let round = 0; round < 6; round++) {
    const up = world.hosts.filter((host) => host.up)
    const act = chance.oneOf(['come', 'come', 'go', 'scale', 'revise', 'protect'] as const)
    world.note(`round ${round}: ${act}`)
    if (act === 'come' && up.length < 6) await world.addHost()
    const host = chance.oneOf(up)
    if (act === 'go' && up.length > 1 && host) await world.loseHost(host)
    if (act === 'scale') await change(world, { desiredCount: count(world, 2, 7) })
    if (act === 'revise') await change(world, { taskDefinition: await register(world, `web:${round}`) })
    if (act === 'protect') await protectOne(world)
    await world.sleep(chance.between(0, 8) * minute)
  }
  while (world.hosts.filter((host) => host.up).length < 3) await world.addHost()
  await world.sleep(minute)
  world.expectations.push(unevenZones)
}

async function protectOne(world: World): Promise<void> {
  const { taskArns } = await world.request<{ taskArns: string[] }>('ListTasks', { serviceName: 'web' })
  const task = world.chance.oneOf(taskArns)
  if (task === undefined) return
  await world
    .request('UpdateTaskProtection', {
      cluster: 'default',
      tasks: [task],
      protectionEnabled: true,
      expiresInMinutes: 3,
    })
    .catch(ifTooLate)
}

/** Which zone has two tasks fewer than another; undefined when none has. */
function unevenZones({ controlPlane }: World): string | undefined {
  const { store } = controlPlane ?? {}
  if (!store) return 'the control plane is down'
  const zones = new Map<string, number>()
  for (const { attributes, status } of store.list('containerInstance')) {
    const zone = attributes.find(({ name }) => name === 'ecs.availability-zone')?.value
    if (status === 'ACTIVE' && zone !== undefined) zones.set(zone, 0)
  }
  for (const { availabilityZone = '', lastStatus } of store.list('task'))
    if (lastStatus !== 'STOPPED') zones.set(availabilityZone, (zones.get(availabilityZone) ?? 0) + 1)
  const counts = [...zones.values()]
  return Math.max(...counts) - Math.min(...counts) > 1
    ? `the tasks are in ${JSON.stringify([...zones])}`
    : undefined
}

const faults = {
  network: { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 },
  runtime: { unreachable: 0.02, crash: 0.02, agentDeath: 0.01 },
  outside: { unreachable: 0.1, refusal: 0.03, alarm: 0.01 },
  controlPlaneCrashMeanMs: 2 * minute,
  crashAtWrite: 0.01,
  agentCrashMeanMs: minute,
  containerDeathMeanMs: 3 * minute,
}

export const strategyScenarios = {
  'blue-green': {
    hosts: 3,
    faults,
    play: (world: World) => shiftTraffic(world, { strategy: 'BLUE_GREEN' }),
  },
  canary: {
    hosts: 3,
    faults,
    play: (world: World) =>
      shiftTraffic(
        world,
        world.chance.happens(0.5)
          ? { strategy: 'CANARY', canaryConfiguration: { canaryPercent: 12.5, canaryBakeTimeInMinutes: 1 } }
          : { strategy: 'LINEAR', linearConfiguration: { stepPercent: 33.4, stepBakeTimeInMinutes: 1 } },
      ),
  },
  'task-sets': { hosts: 3, faults, play: runTaskSets },
  'zone-rebalancing': {
    hosts: 1,
    zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
    faults: { ...faults, containerDeathMeanMs: 10 * minute },
    play: balanceZones,
  },
}
