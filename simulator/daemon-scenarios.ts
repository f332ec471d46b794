/** Scenarios of daemons, under which instances come and go. */
import { capacityProviderArn } from '@berth/control-plane/domain/capacity-provider.ts'
import { formatArn } from '@berth/control-plane/domain/arn.ts'
import { AwsError } from '@berth/wire/error.ts'
import { scope } from './control-plane.ts'
import { missingImage } from './host.ts'
import { taskShape } from './task-shapes.ts'
import type { World } from './world.ts'

const minute = 60_000
/** The capacity provider of the hosts on which managed daemons run. */
export const managedProvider = 'managed'

/** Lets an instance come, be lost, be emptied or be used again. */
async function disturbInstances(world: World): Promise<void> {
  const act = world.chance.oneOf(['add', 'lose', 'drain', 'activate'] as const) ?? 'add'
  const hosts = world.hosts.filter(({ up }) => up)
  if (act === 'add') {
    if (hosts.length < 6) await world.addHost()
    return
  }
  const host = world.chance.oneOf(hosts)
  if (act === 'lose') {
    if (host && hosts.length > 1) await world.loseHost(host)
    return
  }
  const containerInstance = host?.agent?.identity().containerInstanceArn
  if (containerInstance === undefined) return
  const status = act === 'drain' ? 'DRAINING' : 'ACTIVE'
  world.note(`${containerInstance} becomes ${status}`)
  await world
    .request('UpdateContainerInstancesState', { containerInstances: [containerInstance], status })
    .catch(ifGone)
}

/** Lets there be three instances at least, none being emptied: so many that every percentage lets a deployment move. */
async function makeRoom(world: World): Promise<void> {
  while (world.hosts.filter(({ up }) => up).length < 3) await world.addHost()
  const { containerInstanceArns: containerInstances } = await world.request<{
    containerInstanceArns: string[]
  }>('ListContainerInstances', { status: 'DRAINING' })
  if (containerInstances.length > 0)
    await world
      .request('UpdateContainerInstancesState', { containerInstances, status: 'ACTIVE' })
      .catch(ifGone)
}

/** An instance may have gone by the time it is asked for. */
function ifGone(error: unknown): void {
  if (!(error instanceof AwsError)) throw error
}

/** A service with a task on each instance, updated while instances come and go; some revisions cannot start. */
export async function daemonService(world: World): Promise<void> {
  const register = async (image: string): Promise<string> => {
    const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
      'RegisterTaskDefinition',
      { family: 'probe', containerDefinitions: taskShape(world.chance, image, {}) },
    )
    return taskDefinition.taskDefinitionArn
  }
  const minimumHealthyPercent = world.chance.oneOf([0, 50, 66]) ?? 0
  await world.request('CreateService', {
    serviceName: 'probe',
    taskDefinition: await register('probe'),
    schedulingStrategy: 'DAEMON',
    launchType: 'EC2',
    clientToken: world.chance.ids.hex(32),
    deploymentConfiguration: {
      minimumHealthyPercent,
      maximumPercent: 100,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  for (let round = 0; round < 6; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    await disturbInstances(world)
    if (world.chance.happens(0.4)) {
      const image = world.chance.happens(0.2) ? missingImage : `probe:${round}`
      const taskDefinition = await register(image)
      world.note(`UpdateService probe ${taskDefinition}`)
      await world.request('UpdateService', { service: 'probe', taskDefinition })
    }
  }
  await makeRoom(world)
  await world.request('UpdateService', { service: 'probe', taskDefinition: await register('probe:last') })
}

/** Two managed daemons, one of them deleted and made again, on instances that come and go beside other tasks. */
export async function managedDaemon(world: World): Promise<void> {
  const clusterArn = formatArn(scope, 'ecs', 'cluster/default')
  await world.operate((tx) => {
    tx.put('capacityProvider', {
      ...scope,
      capacityProviderArn: capacityProviderArn(scope, managedProvider),
      name: managedProvider,
      clusterArn,
      status: 'ACTIVE',
      updateStatus: 'CREATE_COMPLETE',
      managedInstancesProvider: {},
      createdAt: world.clock.now(),
    })
  })
  const names = ['logs', 'guard']
  const register = async (family: string, image: string): Promise<string> => {
    const { daemonTaskDefinitionArn } = await world.request<{ daemonTaskDefinitionArn: string }>(
      'RegisterDaemonTaskDefinition',
      {
        family,
        containerDefinitions: [{ name: 'app', image, cpu: 64, memory: 64 }],
      },
    )
    return daemonTaskDefinitionArn
  }
  const daemonArn = (name: string): string => formatArn(scope, 'ecs', `daemon/default/${name}`)
  const shared = { capacityProviderArns: [capacityProviderArn(scope, managedProvider)] }
  const create = async (daemonName: string): Promise<void> => {
    const daemonTaskDefinitionArn = await register(daemonName, daemonName)
    const drainPercent = world.chance.oneOf([25, 50, 100]) ?? 25
    await world.request('CreateDaemon', {
      ...shared,
      daemonName,
      daemonTaskDefinitionArn,
      deploymentConfiguration: { drainPercent, bakeTimeInMinutes: world.chance.happens(0.3) ? 1 : 0 },
      clientToken: world.chance.ids.hex(32),
    })
  }
  const update = async (name: string, image: string): Promise<void> => {
    world.note(`UpdateDaemon ${name} to ${image}`)
    const daemonTaskDefinitionArn = await register(name, image)
    await world.request('UpdateDaemon', { ...shared, daemonArn: daemonArn(name), daemonTaskDefinitionArn })
  }
  for (const name of names) await create(name)
  for (let round = 0; round < 6; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    await disturbInstances(world)
    if (!world.chance.happens(0.5)) continue
    const name = world.chance.oneOf(names) ?? 'logs'
    const image = world.chance.happens(0.25) ? missingImage : `${name}:${round}`
    await update(name, image)
  }
  // On no instance at all, a revision that cannot start is as good as any other, and stays.
  await update('logs', 'logs:last')
  // A copy of the request may find it deleted already.
  await world.request('DeleteDaemon', { daemonArn: daemonArn('guard') }).catch(ifGone)
  await world.sleep(minute)
}
