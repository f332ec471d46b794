import {
  CreateServiceCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { killAgent } from './host-processes.ts'
import { OneInstance, polite, runtimeId } from './one-instance.ts'
import { eventually } from './world.ts'

let host: OneInstance
beforeAll(async () => {
  host = await OneInstance.start()
})
afterAll(() => host.end())

test('the agent is killed again and again while tasks start and while they stop: each runs once and ends once', async () => {
  const { world, cluster, image } = host
  await world.register('often', { image, command: polite, memory: 16 })
  const { tasks = [] } = await world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition: 'often', count: 8 }),
  )
  const arns = tasks.map(({ taskArn = '' }) => taskArn)
  for (const pauseMs of [150, 700, 1300]) {
    await sleep(pauseMs)
    killAgent(world.berth.directory, host.instanceId)
  }
  const running = await Promise.all(arns.map((arn) => host.at(arn, 'RUNNING')))
  const ids = running.map((task) => runtimeId(task)).toSorted()
  const seen = await host.docker(
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    'label=com.amazonaws.ecs.task-arn',
  )
  expect(seen.split('\n').toSorted()).toEqual(ids)
  await Promise.all(arns.map((task) => world.ecs.send(new StopTaskCommand({ cluster, task }))))
  for (const pauseMs of [50, 900]) {
    await sleep(pauseMs)
    killAgent(world.berth.directory, host.instanceId)
  }
  const stopped = await Promise.all(arns.map((arn) => host.at(arn, 'STOPPED')))
  expect(stopped.map(({ containers }) => containers?.[0]?.exitCode)).toEqual(arns.map(() => 0))
  expect(await host.docker('ps', '--quiet')).toBe('')
})

test('a tag that moves changes nothing until the next deployment, unless the container asks for no consistency', async () => {
  const { world, cluster } = host
  const image = await world.push('moving', { '/etc/version': 'one\n' })
  for (const [serviceName, versionConsistency, later] of [
    ['consistent', 'enabled', 'one\n'],
    ['inconsistent', 'disabled', 'two\n'],
  ] as const) {
    await world.push('moving', { '/etc/version': 'one\n' })
    await world.register(serviceName, { image, command: polite, memory: 16, versionConsistency })
    await world.ecs.send(
      new CreateServiceCommand({ cluster, serviceName, taskDefinition: serviceName, desiredCount: 1 }),
    )
    await settled(serviceName, 1)
    await world.push('moving', { '/etc/version': 'two\n' })
    await world.ecs.send(new UpdateServiceCommand({ cluster, service: serviceName, desiredCount: 2 }))
    await settled(serviceName, 2)
    expect((await versions(serviceName)).toSorted()).toEqual(['one\n', later].toSorted())
  }
  await world.ecs.send(new UpdateServiceCommand({ cluster, service: 'consistent', forceNewDeployment: true }))
  await eventually('the new deployment has the new image', async () =>
    (await versions('consistent')).every((version) => version === 'two\n'),
  )
})

async function settled(service: string, count: number): Promise<void> {
  const { world, cluster } = host
  await eventually(`${service} runs ${count} tasks and knows its image`, async () => {
    const { services } = await world.ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
    const arn = services?.[0]?.deployments?.[0]?.id?.replace('ecs-svc/', '') ?? ''
    const revision = services?.[0]?.serviceArn?.replace(':service/', ':service-revision/') ?? ''
    const { serviceRevisions } = await world.ecs.send(
      new DescribeServiceRevisionsCommand({ serviceRevisionArns: [`${revision}/${arn}`] }),
    )
    const known = serviceRevisions?.[0]?.containerImages?.every(({ imageDigest }) => imageDigest)
    return services?.[0]?.runningCount === count && known
  })
}

/** What the running tasks of a service find in their image. */
async function versions(serviceName: string): Promise<string[]> {
  const { world, cluster } = host
  const { taskArns = [] } = await world.ecs.send(new ListTasksCommand({ cluster, serviceName }))
  const tasks = await Promise.all(taskArns.map((arn) => host.task(arn)))
  const running = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING')
  return Promise.all(
    running.map(async (task) => `${await host.docker('exec', runtimeId(task), 'cat', '/etc/version')}\n`),
  )
}
