import { readFileSync, writeFileSync } from 'node:fs'
import { BatchDeleteImageCommand } from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OneInstance, polite, runtimeId } from './one-instance.ts'
import { eventually } from './world.ts'

let one: OneInstance

beforeAll(async () => {
  one = await OneInstance.start()
})
afterAll(() => one.end())

const nowSeconds = (): string => String(Date.now() / 1000)

test('an image that many containers want is pulled once, with the credentials of the instance', async () => {
  const image = await one.world.push('wanted', { 'etc/word': 'wanted' })
  await expect(one.docker('pull', image)).rejects.toThrow(/no basic auth|unauthorized|denied/)
  const since = nowSeconds()
  const container = { image, memory: 8, command: ['cat', '/etc/word'] }
  const task = await one.at(await one.run(Array.from({ length: 8 }, () => container)), 'STOPPED')
  expect(task.containers?.map(({ exitCode }) => exitCode)).toContain(0)
  expect(new Set(task.containers?.map(({ imageDigest }) => imageDigest)).size).toBe(1)
  const filter = ['--filter', 'type=image', '--filter', 'event=pull']
  const pulls = await one.docker('events', '--since', since, '--until', nowSeconds(), ...filter)
  expect(pulls.split('\n').filter((line) => line.includes('wanted')).length).toBe(1)
})

test('an image that is gone from the registry is taken from the instance', async () => {
  const image = await one.world.push('fading')
  const { imageDigest } = (await one.at(await one.run([{ image }]), 'STOPPED')).containers?.[0] ?? {}
  await one.world.ecr.send(
    new BatchDeleteImageCommand({ repositoryName: 'fading', imageIds: [{ imageDigest }] }),
  )
  const arn = await one.run([{ image, command: polite }])
  const task = await one.at(arn, 'RUNNING')
  expect(task.containers?.[0]?.imageDigest).toBe(imageDigest)
  await one.stop(arn)
})

test('a new image under the same tag is what the next task runs', async () => {
  const image = await one.world.push('moving', { 'etc/word': 'one' })
  const run = () => one.printed('cat /etc/word', { image })
  expect(await run()).toBe('one')
  await one.world.push('moving', { 'etc/word': 'two' })
  expect(await run()).toBe('two')
})

test('what a task leaves is removed after ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION', async () => {
  const { world, image } = one
  const cluster = 'clean'
  await world.cluster(cluster, 0)
  const settings = ['ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=3s']
  const [instanceId = ''] = await world.launch(cluster, 1, 't3.small', settings)
  await world.register(
    'leaves',
    { image, command: ['touch', '/own/x'], mountPoints: [{ sourceVolume: 'own', containerPath: '/own' }] },
    { volumes: [{ name: 'own', host: {} }] },
  )
  const task = await world.taskAt(cluster, await world.run(cluster, 'leaves'), 'STOPPED')
  const left = async (): Promise<string[]> => [
    await world.docker(instanceId, 'ps', '--all', '--quiet', '--no-trunc'),
    await world.docker(instanceId, 'volume', 'ls', '--quiet'),
  ]
  const [containers, volumes] = await left()
  expect(containers).toBe(runtimeId(task))
  expect(volumes).toMatch(/^ecs-leaves-1-own-[0-9a-f]{20}$/)
  await eventually('nothing is left', async () => (await left()).join('') === '', 15)
})

test("Docker starts again although its pid file names another's process", async () => {
  const host = await one.world.berthCommand('docker-host', one.instanceId)
  const pidFile = host.replace('unix://', '').replace(/docker\.sock$/, 'dockerd.pid')
  const pid = Number(readFileSync(pidFile, 'utf8'))
  process.kill(pid, 'SIGKILL')
  writeFileSync(pidFile, String(process.pid))
  await eventually('Docker answers again', () => one.docker('info'), 20)
  expect(Number(readFileSync(pidFile, 'utf8'))).not.toBe(pid)
})
