import { CreateServiceCommand, DeleteServiceCommand, ListTasksCommand, type Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from './world.ts'
import { OneInstance, polite, runtimeId } from './one-instance.ts'

let one: OneInstance

let restarting = ''

beforeAll(async () => {
  one = await OneInstance.start()
  // A minute is the least that a restart policy may ask for, so this one runs while other tests do.
  restarting = await one.run([
    { ...sh('echo started; sleep 60.5; exit 4'), restartPolicy: { enabled: true, restartAttemptPeriod: 60 } },
  ])
})
afterAll(() => one.end())

const sh = (script: string): { command: string[] } => ({ command: ['sh', '-c', script] })
const containerOf = (task: Task, name: string) =>
  task.containers?.find((container) => container.name === name)
const timesOf = async (task: Task, name: string) => {
  const { State } = await one.inspect(task, name)
  return { started: Date.parse(State.StartedAt), finished: Date.parse(State.FinishedAt) }
}

test('a container that is not essential may end; one that is takes the task with it', async () => {
  const arn = await one.run([
    { ...sh('while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 3') },
    { name: 'extra', essential: false, ...sh('exit 5') },
    { name: 'other', command: polite },
  ])
  await one.at(arn, 'RUNNING')
  const running = await eventually('the end of extra is told', async () => {
    const task = await one.task(arn)
    return containerOf(task, 'extra')?.lastStatus === 'STOPPED' && task
  })
  expect(running).toMatchObject({ lastStatus: 'RUNNING' })
  expect(containerOf(running, 'extra')).toMatchObject({ exitCode: 5 })
  await one.docker('exec', runtimeId(running), 'touch', '/tmp/end')
  const stopped = await one.at(arn, 'STOPPED')
  expect(stopped).toMatchObject({ stopCode: 'EssentialContainerExited' })
  expect(['main', 'extra', 'other'].map((name) => containerOf(stopped, name)?.exitCode)).toEqual([3, 5, 0])
})

test('dependsOn holds the order up, and the reverse of it down', async () => {
  const on = (containerName: string, condition: 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY') => ({
    containerName,
    condition,
  })
  const healthCheck = { command: ['CMD-SHELL', 'test -e /tmp/ok'], interval: 5, startPeriod: 10 }
  const slow = sh(`(sleep 0.5; touch /tmp/ok) & ${polite[2]}`)
  const arn = await one.run([
    {
      command: polite,
      dependsOn: [on('healthy', 'HEALTHY'), on('failing', 'COMPLETE'), on('done', 'SUCCESS')],
    },
    { name: 'healthy', ...slow, healthCheck, dependsOn: [on('first', 'START')] },
    { name: 'failing', essential: false, ...sh('sleep 0.3; exit 1') },
    { name: 'done', essential: false, ...sh('sleep 0.3') },
    { name: 'first', command: polite },
  ])
  const running = await one.at(arn, 'RUNNING')
  expect(containerOf(running, 'healthy')?.healthStatus).toBe('HEALTHY')
  // An essential container without a health check leaves open how the task is.
  expect(running.healthStatus).toBe('UNKNOWN')
  const task = await one.stop(arn)
  const [main, healthy, failing, done, first] = await Promise.all(
    ['main', 'healthy', 'failing', 'done', 'first'].map((name) => timesOf(task, name)),
  )
  expect(healthy?.started).toBeGreaterThan(first?.started ?? Number.NaN)
  for (const before of [failing?.finished, done?.finished, (healthy?.started ?? Number.NaN) + 500])
    expect(main?.started).toBeGreaterThan(before ?? Number.NaN)
  expect(healthy?.finished).toBeGreaterThanOrEqual(main?.finished ?? Number.NaN)
  expect(first?.finished).toBeGreaterThanOrEqual(healthy?.finished ?? Number.NaN)
})

test('a dependency that fails stops the task, and what waited for it never starts', async () => {
  const task = await one.at(
    await one.run([
      { command: polite, dependsOn: [{ containerName: 'setup', condition: 'SUCCESS' }] },
      { name: 'setup', essential: false, ...sh('exit 9') },
      { name: 'beside', command: polite },
    ]),
    'STOPPED',
  )
  expect(containerOf(task, 'setup')).toMatchObject({ exitCode: 9 })
  expect(containerOf(task, 'main')).not.toHaveProperty('exitCode')
  expect(containerOf(task, 'main')).not.toHaveProperty('runtimeId')
  expect(containerOf(task, 'main')?.reason).toMatch(/^TaskDependencyError: /)
  expect(containerOf(task, 'beside')).toMatchObject({ lastStatus: 'STOPPED' })
})

test('startTimeout: a dependency that takes too long stops the task', async () => {
  const task = await one.at(
    await one.run([
      { command: polite, dependsOn: [{ containerName: 'slow', condition: 'COMPLETE' }] },
      { name: 'slow', essential: false, command: polite, startTimeout: 2 },
    ]),
    'STOPPED',
  )
  expect(containerOf(task, 'main')).not.toHaveProperty('exitCode')
  expect(containerOf(task, 'slow')).toMatchObject({ exitCode: 0 })
})

test("containers share their task's volume, which no other task sees", async () => {
  const volumes = [{ name: 'shared', host: {} }]
  const mountPoints = [{ sourceVolume: 'shared', containerPath: '/shared' }]
  const pair = [
    {
      ...sh('cat /shared/word; touch /shared/mine 2>&1'),
      mountPoints: [{ sourceVolume: 'shared', containerPath: '/shared', readOnly: true }],
      dependsOn: [{ containerName: 'writer', condition: 'SUCCESS' as const }],
    },
    { name: 'writer', essential: false, ...sh('ls /shared; echo hello > /shared/word'), mountPoints },
  ]
  for (let round = 0; round < 2; round++) {
    const task = await one.at(await one.run(pair, { volumes }), 'STOPPED')
    expect(await one.docker('logs', runtimeId(task))).toBe(
      'hello\ntouch: /shared/mine: Read-only file system',
    )
    expect(await one.docker('logs', runtimeId(task, 'writer'))).toBe('')
  }
})

test('a bind mount is a directory of the instance, made where it is missing', async () => {
  const sourcePath = `${one.world.berth.directory}/bound/here`
  const volumes = [{ name: 'bound', host: { sourcePath } }]
  const mountPoints = [{ sourceVolume: 'bound', containerPath: '/bound' }]
  await one.printed('echo kept > /bound/word', { mountPoints }, { volumes })
  expect(await one.printed('cat /bound/word', { mountPoints }, { volumes })).toBe('kept')
})

test('a shared Docker volume keeps its name and its data; one of scope task has a name of its own', async () => {
  const volumes = [
    {
      name: 'kept',
      dockerVolumeConfiguration: { scope: 'shared' as const, autoprovision: true, labels: { a: 'b' } },
    },
    { name: 'own', dockerVolumeConfiguration: { scope: 'task' as const, driver: 'local' } },
  ]
  const mountPoints = volumes.map(({ name }) => ({ sourceVolume: name, containerPath: `/${name}` }))
  const script = 'cat /kept/word /own/word 2>/dev/null; echo again >> /kept/word; echo again >> /own/word'
  expect(await one.printed(script, { mountPoints }, { volumes })).toBe('')
  expect(await one.printed(script, { mountPoints }, { volumes })).toBe('again')
  const names = (await one.docker('volume', 'ls', '--format', '{{.Name}}')).split('\n')
  expect(names).toContain('kept')
  expect(names.filter((name) => /^ecs-task-\d+-1-own-[0-9a-f]{20}$/.test(name)).length).toBe(2)
  expect(await one.docker('volume', 'inspect', 'kept', '--format', '{{json .Labels}}')).toBe('{"a":"b"}')
})

test('a shared volume that is not provisioned must be there', async () => {
  const volumes = [
    { name: 'absent', dockerVolumeConfiguration: { scope: 'shared' as const, autoprovision: false } },
  ]
  const mountPoints = [{ sourceVolume: 'absent', containerPath: '/absent' }]
  const run = () => one.run([{ ...sh('true'), mountPoints }], { volumes })
  const refused = await one.at(await run(), 'STOPPED')
  expect(refused.stopCode).toBe('TaskFailedToStart')
  expect(refused.containers?.[0]).not.toHaveProperty('exitCode')
  expect(refused.stoppedReason).toMatch(/volume 'absent' does not exist and autoprovision is set to false/)
  await one.docker('volume', 'create', 'absent')
  expect((await one.at(await run(), 'STOPPED')).containers?.[0]?.exitCode).toBe(0)
})

test('volumesFrom takes the mounts of another container', async () => {
  const volumes = [{ name: 'data', host: {} }]
  const task = await one.at(
    await one.run(
      [
        {
          ...sh('while [ ! -e /data/word ]; do sleep 0.1; done; cat /data/word'),
          volumesFrom: [{ sourceContainer: 'source', readOnly: true }],
        },
        {
          name: 'source',
          essential: false,
          ...sh('echo from > /data/word'),
          mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
        },
      ],
      { volumes },
    ),
    'STOPPED',
  )
  expect(await one.docker('logs', runtimeId(task))).toBe('from')
})

test('an unhealthy task of a service is replaced; its health and the times are told', async () => {
  const { world, cluster, image } = one
  const healthCheck = { command: ['CMD-SHELL', 'test -e /tmp/ok'], interval: 5, timeout: 2, retries: 1 }
  await world.register('checked', { image, ...sh(`touch /tmp/ok; ${polite[2]}`), healthCheck })
  await world.ecs.send(
    new CreateServiceCommand({ cluster, serviceName: 'checked', taskDefinition: 'checked', desiredCount: 1 }),
  )
  const only = async (): Promise<string | undefined> =>
    (await world.ecs.send(new ListTasksCommand({ cluster, serviceName: 'checked' }))).taskArns?.[0]
  const arn = await eventually('the service starts a task', only)
  await one.at(arn, 'RUNNING')
  const healthy = await eventually('the task is healthy', async () => {
    const task = await one.task(arn)
    return task.healthStatus === 'HEALTHY' && task
  })
  expect(containerOf(healthy, 'main')?.healthStatus).toBe('HEALTHY')
  await one.docker('exec', runtimeId(healthy), 'rm', '/tmp/ok')
  const stopped = await one.at(arn, 'STOPPED')
  expect(stopped).toMatchObject({ stopCode: 'ServiceSchedulerInitiated', healthStatus: 'UNHEALTHY' })
  const next = await eventually('there is another', only)
  expect(next).not.toBe(arn)
  await world.ecs.send(new DeleteServiceCommand({ cluster, service: 'checked', force: true }))
})

test('a restart policy starts a container again in its place; the task stays RUNNING', async () => {
  const before = await one.at(restarting, 'RUNNING')
  const id = runtimeId(before)
  await eventually('it starts again', async () => (await one.docker('logs', id)) === 'started\nstarted')
  const ask = 'wget -qO- $ECS_CONTAINER_METADATA_URI_V4'
  expect(JSON.parse(await one.docker('exec', id, 'sh', '-c', ask))).toMatchObject({ RestartCount: 1 })
  const after = await one.task(restarting)
  expect(after).toMatchObject({ lastStatus: 'RUNNING', startedAt: before.startedAt })
  expect(after.containers?.[0]).toMatchObject({ lastStatus: 'RUNNING', runtimeId: id })
  expect(after.containers?.[0]).not.toHaveProperty('exitCode')
})
