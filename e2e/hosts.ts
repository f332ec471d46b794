import { setTimeout as wait } from 'node:timers/promises'
import {
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import {
  CreateServiceCommand,
  type CreateServiceCommandInput,
  DeleteServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListContainerInstancesCommand,
  ListTasksCommand,
  type Service,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { leftOf } from './left-behind.ts'
import { eventually, World } from './world.ts'

export interface Host {
  readonly instanceId: string
  /** Of its container instance. */
  readonly arn: string
  /** Its private address, which the machine reaches. */
  readonly address: string
  readonly availabilityZone: string
}

const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c']

/** The capacity provider that an instance belongs to: one for each Availability Zone. */
export const providerOf = ({ availabilityZone }: Pick<Host, 'availabilityZone'>): string =>
  `zone-${availabilityZone.at(-1)}`

/** A control plane with one cluster of instances, one in each Availability Zone, and the verbs that tests of scheduling need. */
export class Hosts {
  readonly world: World
  readonly cluster = 'fleet'
  /** In the order of their Availability Zones. */
  hosts: readonly Host[] = []
  readonly #launched: string[] = []

  private constructor(world: World) {
    this.world = world
  }

  /** With as many instances, three at most. */
  static async start(count = zones.length): Promise<Hosts> {
    const made = new Hosts(await World.start())
    try {
      await made.world.cluster(made.cluster, 0)
      made.hosts = await Promise.all(zones.slice(0, count).map((zone) => made.launch(zone)))
    } catch (error) {
      await made.world.end()
      throw error
    }
    return made
  }

  /** One more instance, once its agent is connected. It is not among `hosts`. */
  async launch(availabilityZone: string): Promise<Host> {
    const { ec2, ecs } = this.world
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}))
    const subnet = Subnets?.find((one) => one.AvailabilityZone === availabilityZone)
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        MinCount: 1,
        MaxCount: 1,
        InstanceType: 't3.small',
        SubnetId: subnet?.SubnetId,
        UserData: Buffer.from(`ECS_CLUSTER=${this.cluster}\n`).toString('base64'),
        TagSpecifications: [
          {
            ResourceType: 'instance',
            Tags: [{ Key: 'berth:capacity-provider', Value: providerOf({ availabilityZone }) }],
          },
        ],
      }),
    )
    const { InstanceId: instanceId = '', PrivateIpAddress: address = '' } = Instances?.[0] ?? {}
    this.#launched.push(instanceId)
    const arn = await eventually(`the agent of ${instanceId} connects`, async () => {
      const filter = `agentConnected == true and ec2InstanceId == ${instanceId}`
      const { containerInstanceArns } = await ecs.send(
        new ListContainerInstancesCommand({ cluster: this.cluster, filter }),
      )
      return containerInstanceArns?.[0]
    })
    return { instanceId, arn, address, availabilityZone }
  }

  async terminate({ instanceId }: Host): Promise<void> {
    const { ec2 } = this.world
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }))
    await eventually(`${instanceId} is terminated`, async () => {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }))
      return Reservations?.[0]?.Instances?.[0]?.State?.Name === 'terminated'
    })
  }

  async isConnected({ arn }: Host): Promise<boolean> {
    const { containerInstances } = await this.world.ecs.send(
      new DescribeContainerInstancesCommand({ cluster: this.cluster, containerInstances: [arn] }),
    )
    return containerInstances?.[0]?.agentConnected === true
  }

  /** The ids of the containers that run on a host, by its own Docker Engine. */
  async containersOn({ instanceId }: Host): Promise<string[]> {
    const printed = await this.world.docker(instanceId, 'ps', '--no-trunc', '--quiet')
    return printed.split('\n').filter(Boolean)
  }

  async create(
    serviceName: string,
    taskDefinition: string,
    desiredCount: number | undefined,
    more: Partial<CreateServiceCommandInput> = {},
  ): Promise<void> {
    const { cluster } = this
    await this.world.ecs.send(
      new CreateServiceCommand({ cluster, serviceName, taskDefinition, desiredCount, ...more }),
    )
  }

  async service(name: string): Promise<Service> {
    const { services } = await this.world.ecs.send(
      new DescribeServicesCommand({ cluster: this.cluster, services: [name] }),
    )
    const [service] = services ?? []
    if (!service) throw new Error(`no service ${name}`)
    return service
  }

  /** The tasks of a service that are to run, or those on their way to their end. */
  async tasksOf(serviceName: string, desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING'): Promise<Task[]> {
    const { cluster, world } = this
    const { taskArns = [] } = await world.ecs.send(
      new ListTasksCommand({ cluster, serviceName, desiredStatus }),
    )
    return this.describe(taskArns)
  }

  async describe(tasks: string[]): Promise<Task[]> {
    if (tasks.length === 0) return []
    const found = await this.world.ecs.send(new DescribeTasksCommand({ cluster: this.cluster, tasks }))
    return found.tasks ?? []
  }

  /** The tasks of a service once exactly `count` are to run, and do on these hosts. */
  running(serviceName: string, count: number, on = this.hosts): Promise<Task[]> {
    const arns = new Set(on.map((host) => host.arn))
    return eventually(`${count} tasks of ${serviceName} run`, async () => {
      const tasks = await this.tasksOf(serviceName)
      const here = tasks.filter(
        (task) => task.lastStatus === 'RUNNING' && arns.has(task.containerInstanceArn ?? ''),
      )
      return here.length === count && tasks.length === count && tasks
    })
  }

  /** Waits until the service's deployment is complete: its tasks are healthy, and what comes may roll back to it. */
  async steady(serviceName: string): Promise<void> {
    await eventually(`${serviceName} is steady`, async () => {
      const { deployments = [] } = await this.service(serviceName)
      return deployments.length === 1 && deployments[0]?.rolloutState === 'COMPLETED'
    })
  }

  /** Stops tasks and waits for their ends, so that the next test finds the room they took. */
  async stop(taskArns: readonly string[]): Promise<void> {
    const { cluster, world } = this
    for (const task of taskArns) await world.ecs.send(new StopTaskCommand({ cluster, task }))
    for (const taskArn of taskArns) await world.taskAt(cluster, taskArn, 'STOPPED')
  }

  /** Deletes services with their tasks, and waits until nothing of them runs. */
  async remove(...names: readonly string[]): Promise<void> {
    const { cluster, world } = this
    for (const service of names)
      await world.ecs.send(new DeleteServiceCommand({ cluster, service, force: true }))
    for (const name of names)
      await eventually(`${name} is gone`, async () => (await this.service(name)).status === 'INACTIVE')
  }

  /** What the machine still has of all this after `berth down`. */
  async leftAfterDown(): Promise<string[]> {
    await this.world.berthCommand('down')
    return leftOf(this.world.berth.directory, this.#launched)
  }

  end(): Promise<void> {
    return this.world.end()
  }
}

/** How many there are of each. */
export function tally(names: ReadonlyArray<string | undefined>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name ?? 'none'] = (counts[name ?? 'none'] ?? 0) + 1
  return counts
}

/** Looks all the time until `stop` is called, which tells the fewest and the most that were seen. */
export function watch(look: () => Promise<number>): {
  stop(): Promise<{ readonly least: number; readonly most: number }>
} {
  let ended = false
  const seen: number[] = []
  const looking = (async () => {
    while (!ended) {
      seen.push(await look())
      await wait(50)
    }
  })()
  return {
    async stop() {
      ended = true
      await looking
      return { least: Math.min(...seen), most: Math.max(...seen) }
    },
  }
}
