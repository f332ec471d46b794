/** Tasks of a service that are protected while it is scaled and updated, and the law of protection. */
import { protectionEnd } from '@berth/control-plane/domain/task-protection.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'
import { taskShape } from './task-shapes.ts'
import type { World } from './world.ts'

const minute = 60_000

/** A protected task is stopped neither for scaling in nor for a newer deployment, as long as its service stands. */
export function brokenProtectionLaw(
  view: View,
  changes: ReadonlyArray<Change<'task'>>,
  now: number,
): string | undefined {
  for (const { before, after } of changes) {
    if (before?.desiredStatus !== 'RUNNING' || after?.desiredStatus !== 'STOPPED') continue
    const scaled =
      after.stopCode === 'ServiceSchedulerInitiated' && after.stoppedReason?.startsWith('Scaling activity')
    const service = view.find('service', after.serviceArn ?? '')
    if (scaled && service?.status === 'ACTIVE' && protectionEnd(before, now) !== undefined)
      return `${after.taskArn} was stopped though it is protected: ${after.stoppedReason}`
  }
  return undefined
}

/** Of the tasks of the service web some are protected, for a shorter time than the end of the scenario waits. */
export async function protectSome(world: World): Promise<void> {
  const { taskArns } = await world.request<{ taskArns: string[] }>('ListTasks', { serviceName: 'web' })
  const tasks = taskArns.filter(() => world.chance.happens(0.4)).slice(0, 10)
  if (tasks.length === 0) return
  const protectionEnabled = world.chance.happens(0.8)
  const expiresInMinutes = Math.floor(world.chance.between(1, 9))
  world.note(`UpdateTaskProtection ${protectionEnabled} ${expiresInMinutes} ${tasks.join(' ')}`)
  await world.request('UpdateTaskProtection', {
    cluster: 'default',
    tasks,
    protectionEnabled,
    expiresInMinutes,
  })
}

async function register(world: World, image: string): Promise<string> {
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    { family: 'web', containerDefinitions: taskShape(world.chance, image, {}) },
  )
  return taskDefinition.taskDefinitionArn
}

async function play(world: World): Promise<void> {
  const desiredCount = (): number => Math.floor(world.chance.between(1, 7))
  await world.request('CreateService', {
    serviceName: 'web',
    taskDefinition: await register(world, 'web'),
    desiredCount: desiredCount(),
    launchType: 'EC2',
    clientToken: world.chance.ids.hex(32),
  })
  for (let round = 0; round < 6; round++) {
    await world.sleep(world.chance.between(0, 2 * minute))
    await protectSome(world)
    const change = world.chance.happens(0.5)
      ? { desiredCount: desiredCount() }
      : { taskDefinition: await register(world, `web:${round}`) }
    world.note(`UpdateService web ${JSON.stringify(change)}`)
    await world.request('UpdateService', { service: 'web', ...change })
  }
}

export const taskProtection = {
  hosts: 3,
  faults: {
    network: { loss: 0.05, delay: 0.05, duplication: 0.03, drop: 0.01 },
    controlPlaneCrashMeanMs: 2 * minute,
    crashAtWrite: 0.01,
    agentCrashMeanMs: minute,
    containerDeathMeanMs: 3 * minute,
  },
  play,
}
