import {
  DescribeContainerInstancesCommand,
  type ContainerDefinition,
  type RegisterTaskDefinitionCommandInput,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
  type TaskOverride,
} from '@aws-sdk/client-ecs'
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2'
import { World } from './world.ts'

/** What `docker inspect` says of a container, as far as tests read it. */
export interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly State: { readonly StartedAt: string; readonly FinishedAt: string }
}

type TaskDefinitionParts = Partial<RegisterTaskDefinitionCommandInput>

/** A control plane with one cluster of one instance and an image of busybox there, and the verbs that tests of tasks need. */
export class OneInstance {
  readonly world: World
  readonly image: string
  readonly instanceId: string
  /** Its private address, which the machine reaches. */
  readonly address: string
  readonly cluster = 'tasks'
  #families = 0

  private constructor(world: World, image: string, instanceId: string, address: string) {
    this.world = world
    this.image = image
    this.instanceId = instanceId
    this.address = address
  }

  /** `settings` are lines of the agent's configuration; `flags` and `environment` are the control plane's. */
  static async start(
    settings: readonly string[] = [],
    flags: readonly string[] = ['--dev'],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<OneInstance> {
    const world = await World.start(flags, { environment })
    const image = await world.push('tool')
    await world.cluster('tasks', 1, 't3.small', settings)
    const containerInstances = await world.containerInstances('tasks')
    const found = await world.ecs.send(
      new DescribeContainerInstancesCommand({ cluster: 'tasks', containerInstances }),
    )
    const instanceId = found.containerInstances?.[0]?.ec2InstanceId ?? ''
    const { Reservations } = await world.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }))
    return new OneInstance(
      world,
      image,
      instanceId,
      Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress ?? '',
    )
  }

  /** Runs a task of `containers`, which have this image and 32 MiB where they say nothing else; returns its ARN. */
  async run(
    containers: ReadonlyArray<Partial<ContainerDefinition>>,
    more: TaskDefinitionParts = {},
    overrides?: TaskOverride,
  ): Promise<string> {
    const family = `task-${++this.#families}`
    const [first = {}, ...others] = containers.map((container, index) => ({
      name: index === 0 ? 'main' : `side-${index}`,
      image: this.image,
      memory: 32,
      ...container,
    }))
    await this.world.register(family, first, { ...more, containerDefinitions: [first, ...others] })
    const { tasks, failures } = await this.world.ecs.send(
      new RunTaskCommand({ cluster: this.cluster, taskDefinition: family, overrides }),
    )
    const taskArn = tasks?.[0]?.taskArn
    if (taskArn === undefined) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`)
    return taskArn
  }

  at(taskArn: string, lastStatus: 'RUNNING' | 'STOPPED'): Promise<Task> {
    return this.world.taskAt(this.cluster, taskArn, lastStatus)
  }

  task(taskArn: string): Promise<Task> {
    return this.world.task(this.cluster, taskArn)
  }

  /** Asks for the task's end and waits for it. */
  async stop(taskArn: string): Promise<Task> {
    await this.world.ecs.send(new StopTaskCommand({ cluster: this.cluster, task: taskArn }))
    return this.at(taskArn, 'STOPPED')
  }

  docker(...words: readonly string[]): Promise<string> {
    return this.world.docker(this.instanceId, ...words)
  }

  async inspect(task: Task, name = 'main'): Promise<Inspected> {
    const [found] = JSON.parse(await this.docker('inspect', runtimeId(task, name))) as Inspected[]
    if (!found) throw new Error(`${name} is no container`)
    return found
  }

  /** What the shell prints that runs `script` in a container of that definition until its end. */
  async printed(
    script: string,
    container: Partial<ContainerDefinition> = {},
    more: TaskDefinitionParts = {},
    overrides?: TaskOverride,
  ): Promise<string> {
    const task = await this.at(
      await this.run([{ command: ['sh', '-c', script], ...container }], more, overrides),
      'STOPPED',
    )
    if (task.containers?.[0]?.runtimeId === undefined) throw new Error(JSON.stringify(task, undefined, 1))
    return this.docker('logs', runtimeId(task))
  }

  end(): Promise<void> {
    return this.world.end()
  }
}

export function runtimeId(task: Task, name = 'main'): string {
  return (
    task.containers?.find((container) => container.name === name)?.runtimeId ?? `${name} has no runtimeId`
  )
}

/** Runs until it is asked to end, and then ends with 0. */
export const polite = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']
