import { readdirSync, readFileSync } from 'node:fs'
import { TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, World } from './world.ts'

let world: World
let image = ''
const cluster = 'faults'
const sleeper = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']

beforeAll(async () => {
  world = await World.start()
  image = await world.push('tool')
  await world.cluster(cluster, 1)
  await world.register('polite', { image, command: sleeper })
  await world.register('exits', { image, command: ['sh', '-c', 'exit 7'] })
})
afterAll(() => world.end())

const instanceIdOf = async (containerInstanceArn: string): Promise<string> => {
  const { containerInstances } = await world.ecs.send(
    new DescribeContainerInstancesCommand({ cluster, containerInstances: [containerInstanceArn] }),
  )
  return containerInstances?.[0]?.ec2InstanceId ?? ''
}
const agentConnected = async (containerInstanceArn: string): Promise<boolean | undefined> => {
  const { containerInstances } = await world.ecs.send(
    new DescribeContainerInstancesCommand({ cluster, containerInstances: [containerInstanceArn] }),
  )
  return containerInstances?.[0]?.agentConnected
}
const onlyInstance = async (): Promise<{ readonly arn: string; readonly instanceId: string }> => {
  const [arn = ''] = await world.containerInstances(cluster)
  return { arn, instanceId: await instanceIdOf(arn) }
}
/** The pid of a process of an instance: by a word of its command line, and the instance's id there or in its environment. */
function processOf(instanceId: string, word: string): number {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return '' // it has ended meanwhile
    }
  }
  const pid = readdirSync('/proc').find(
    (name) =>
      read(name, 'cmdline').includes(word) &&
      (read(name, 'cmdline') + read(name, 'environ')).includes(instanceId),
  )
  if (pid === undefined) throw new Error(`no ${word} of ${instanceId} runs`)
  return Number(pid)
}

test('an image that does not exist: the task says CannotPullContainerError', async () => {
  await world.register('unpullable', { image: `localhost:${world.berth.port}/tool:no-such-tag` })
  const task = await world.taskAt(cluster, await world.run(cluster, 'unpullable'), 'STOPPED')
  expect(task.stopCode).toBe('TaskFailedToStart')
  expect(task.stoppedReason).toMatch(/^CannotPullContainerError: /)
  expect(task.containers?.[0]).not.toHaveProperty('exitCode')
})

test('a service of an image that does not exist says so in its events and slows down', async () => {
  const taskDefinition = 'unpullable'
  await world.ecs.send(
    new CreateServiceCommand({ cluster, serviceName: 'broken', taskDefinition, desiredCount: 1 }),
  )
  const messages = await eventually('the service says it cannot start tasks', async () => {
    const { services } = await world.ecs.send(new DescribeServicesCommand({ cluster, services: ['broken'] }))
    const texts = services?.[0]?.events?.map((event) => event.message ?? '') ?? []
    return texts.some((text) => text.includes('is unable to consistently start tasks successfully')) && texts
  })
  expect(messages.filter((text) => text.includes('unable to consistently')).length).toBe(1)
  await world.ecs.send(new DeleteServiceCommand({ cluster, service: 'broken', force: true }))
})

test('a command that is not found: CannotStartContainerError or CannotCreateContainerError', async () => {
  await world.register('no-command', { image, command: ['/no/such/program'] })
  const task = await world.taskAt(cluster, await world.run(cluster, 'no-command'), 'STOPPED')
  expect(task.containers?.[0]?.reason).toMatch(
    /^Cannot(Start|Create)ContainerError: .*no such file or directory/s,
  )
  expect(task.stopCode).toBe('TaskFailedToStart')
})

test('a container that exits at once: its code, and that it was essential', async () => {
  const task = await world.taskAt(cluster, await world.run(cluster, 'exits'), 'STOPPED')
  expect(task).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ exitCode: 7, lastStatus: 'STOPPED' }],
  })
})

test('a container over its memory is killed: exit code 137, OutOfMemoryError', async () => {
  const command = ['sh', '-c', 'x=a; while :; do x=$x$x; done']
  await world.register('greedy', { image, command, memory: 16 })
  const task = await world.taskAt(cluster, await world.run(cluster, 'greedy'), 'STOPPED')
  expect(task.containers?.[0]).toMatchObject({ exitCode: 137 })
  expect(task.containers?.[0]?.reason).toMatch(/^OutOfMemoryError: Container killed due to memory usage/)
})

test('a stop is answered with the exit code of the signal, and a deaf container is killed after its stopTimeout', async () => {
  await world.register('deaf', { image, command: ['sleep', '1000'], stopTimeout: 2 })
  const arns = [await world.run(cluster, 'polite'), await world.run(cluster, 'deaf')]
  for (const arn of arns) await world.taskAt(cluster, arn, 'RUNNING')
  for (const task of arns) await world.ecs.send(new StopTaskCommand({ cluster, task, reason: 'enough' }))
  const [polite, deaf] = await Promise.all(arns.map((arn) => world.taskAt(cluster, arn, 'STOPPED')))
  expect(polite).toMatchObject({
    stopCode: 'UserInitiated',
    stoppedReason: 'enough',
    containers: [{ exitCode: 0 }],
  })
  expect(deaf).toMatchObject({ containers: [{ exitCode: 137 }] })
})

test('a host port in use: the second task is not placed, and says RESOURCE:PORTS', async () => {
  await world.register('fixed-port', {
    image,
    command: sleeper,
    portMappings: [{ containerPort: 80, hostPort: 9080 }],
  })
  const first = await world.run(cluster, 'fixed-port')
  const { tasks, failures } = await world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition: 'fixed-port' }),
  )
  const { arn } = await onlyInstance()
  expect({ tasks, failures }).toEqual({ tasks: [], failures: [{ arn, reason: 'RESOURCE:PORTS' }] })
  await world.ecs.send(new StopTaskCommand({ cluster, task: first }))
  await world.taskAt(cluster, first, 'STOPPED')
  await world.ecs.send(new StopTaskCommand({ cluster, task: await world.run(cluster, 'fixed-port') }))
})

test('the agent is killed: tasks run on, are adopted, and what happened meanwhile is told once', async () => {
  const { arn, instanceId } = await onlyInstance()
  const [kept, lost] = [await world.run(cluster, 'polite'), await world.run(cluster, 'polite')]
  const before = await world.taskAt(cluster, kept, 'RUNNING')
  const { containers } = await world.taskAt(cluster, lost, 'RUNNING')
  process.kill(processOf(instanceId, 'agent/main.ts'), 'SIGKILL')
  await world.docker(instanceId, 'kill', containers?.[0]?.runtimeId ?? '')
  expect(await world.taskAt(cluster, lost, 'STOPPED')).toMatchObject({ containers: [{ exitCode: 137 }] })
  await eventually('the agent is back', () => agentConnected(arn))
  const after = await world.task(cluster, kept)
  expect(after.lastStatus).toBe('RUNNING')
  expect(after.containers?.[0]?.runtimeId).toBe(before.containers?.[0]?.runtimeId)
  await world.ecs.send(new StopTaskCommand({ cluster, task: kept }))
  expect((await world.taskAt(cluster, kept, 'STOPPED')).containers?.[0]?.exitCode).toBe(0)
})

test("the instance's Docker is killed: it comes back, and so does the instance", async () => {
  const { arn, instanceId } = await onlyInstance()
  const kept = await world.run(cluster, 'polite')
  await world.taskAt(cluster, kept, 'RUNNING')
  process.kill(processOf(instanceId, 'dockerd'), 'SIGKILL')
  await eventually('Docker answers again', () => world.docker(instanceId, 'info'))
  await eventually('the agent is connected', () => agentConnected(arn))
  const fresh = await world.run(cluster, 'exits')
  expect(await world.taskAt(cluster, fresh, 'STOPPED')).toMatchObject({ containers: [{ exitCode: 7 }] })
  await world.ecs.send(new StopTaskCommand({ cluster, task: kept }))
  await world.taskAt(cluster, kept, 'STOPPED')
})

test('the control plane is killed: tasks run on, and what was acknowledged is there', async () => {
  const kept = await world.run(cluster, 'polite')
  const before = await world.taskAt(cluster, kept, 'RUNNING')
  const { instanceId } = await onlyInstance()
  const startedAt = await world.docker(instanceId, 'ps', '--no-trunc', '--format', '{{.ID}} {{.CreatedAt}}')
  await world.crash()
  expect(await world.docker(instanceId, 'ps', '--no-trunc', '--format', '{{.ID}} {{.CreatedAt}}')).toBe(
    startedAt,
  )
  await world.restart()
  const after = await world.task(cluster, kept)
  expect(after).toMatchObject({ lastStatus: 'RUNNING', startedAt: before.startedAt })
  await world.ecs.send(new StopTaskCommand({ cluster, task: kept }))
  expect((await world.taskAt(cluster, kept, 'STOPPED')).containers?.[0]?.exitCode).toBe(0)
})

/** The hardware addresses of the bridges of instances. */
const bridges = (): string[] =>
  readdirSync('/sys/class/net')
    .filter((name) => name.startsWith('berth-'))
    .map((name) => readFileSync(`/sys/class/net/${name}/address`, 'utf8'))

test('an instance is terminated while tasks run: its tasks stop, a service goes to the instance that is left', async () => {
  const doomed = await onlyInstance()
  await world.launch(cluster, 1)
  await world.ecs.send(
    new CreateServiceCommand({ cluster, serviceName: 'stays', taskDefinition: 'polite', desiredCount: 2 }),
  )
  const running = async () => {
    const { services } = await world.ecs.send(new DescribeServicesCommand({ cluster, services: ['stays'] }))
    return services?.[0]?.runningCount === 2
  }
  await eventually('the service runs', running)
  const { taskArns = [] } = await world.ecs.send(
    new ListTasksCommand({ cluster, containerInstance: doomed.arn }),
  )
  expect(taskArns.length).toBeGreaterThan(0)
  const before = bridges()
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [doomed.instanceId] }))
  for (const taskArn of taskArns) {
    const task = await world.taskAt(cluster, taskArn, 'STOPPED')
    expect(task.stoppedReason).toContain(`Host EC2 (instance ${doomed.instanceId})`)
  }
  await eventually('the service runs again', running)
  // A gateway with a new address would be out of the other instances' reach until they ask for it again.
  expect(bridges()).toEqual(before)
  expect(await world.containerInstances(cluster)).not.toContain(doomed.arn)
  expect(readFileSync('/etc/hosts', 'utf8')).not.toContain(doomed.instanceId)
})
