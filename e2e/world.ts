import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { EC2Client } from '@aws-sdk/client-ec2'
import {
  ECRClient,
  CreateRepositoryCommand,
  GetAuthorizationTokenCommand,
  RepositoryAlreadyExistsException,
} from '@aws-sdk/client-ecr'
import {
  CreateClusterCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  RunTaskCommand,
  RegisterTaskDefinitionCommand,
  type ContainerDefinition,
  type Task,
} from '@aws-sdk/client-ecs'
import { RunInstancesCommand } from '@aws-sdk/client-ec2'
import { type RunningControlPlane, startControlPlane, type StartOptions } from '@berth/tools/control-plane.ts'
import { type ImageFiles, makeImage } from './image.ts'

const execute = promisify(execFile)
const region = 'us-east-1'

/** The root user's key, which the control plane makes where it checks signatures; under `--dev` any key does. */
function rootKey(
  directory: string,
  flags: readonly string[],
): { accessKeyId: string; secretAccessKey: string } {
  if (flags.includes('--dev')) return { accessKeyId: 'test', secretAccessKey: 'test' }
  const text = readFileSync(join(directory, 'credentials'), 'utf8')
  const read = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? ''
  return { accessKeyId: read('aws_access_key_id'), secretAccessKey: read('aws_secret_access_key') }
}

/** A control plane in a process of its own with real clients for it, and the verbs that tests need. */
export class World {
  #berth: RunningControlPlane
  readonly #flags: readonly string[]
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly ecs: ECSClient
  readonly ec2: EC2Client
  readonly ecr: ECRClient

  private constructor(berth: RunningControlPlane, flags: readonly string[]) {
    this.#berth = berth
    this.#flags = flags
    this.key = rootKey(berth.directory, flags)
    const client = { region, credentials: this.key, endpoint: berth.url }
    this.ecs = new ECSClient(client)
    this.ec2 = new EC2Client(client)
    this.ecr = new ECRClient(client)
  }

  static async start(flags: readonly string[] = ['--dev'], options: StartOptions = {}): Promise<World> {
    return new World(await startControlPlane(flags, options), flags)
  }

  get berth(): RunningControlPlane {
    return this.#berth
  }

  /** Kills the control plane without warning. */
  async crash(): Promise<void> {
    await this.#berth.crash()
  }

  /** Starts it again on the same port and directory. */
  async restart(): Promise<void> {
    this.#berth = await startControlPlane(this.#flags, {
      directory: this.#berth.directory,
      port: this.#berth.port,
    })
  }

  /** Runs the AWS CLI as a user does. Rejects with its standard error when it fails. */
  async aws(...words: readonly string[]): Promise<string> {
    const aws = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws'
    const { stdout } = await execute(aws, ['--endpoint-url', this.berth.url, ...words], {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: this.key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: this.key.secretAccessKey,
        AWS_DEFAULT_REGION: region,
        AWS_PAGER: '',
      },
    })
    return stdout.trim()
  }

  /** Pushes an image of busybox and `files` to a repository, made where it is missing; returns its reference. */
  async push(
    repositoryName: string,
    files: ImageFiles = {},
    command: readonly string[] = ['sh'],
  ): Promise<string> {
    await this.ecr.send(new CreateRepositoryCommand({ repositoryName })).catch((error: unknown) => {
      if (!(error instanceof RepositoryAlreadyExistsException)) throw error
    })
    const { authorizationData } = await this.ecr.send(new GetAuthorizationTokenCommand({}))
    const login = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString()
    const image = makeImage(files, command)
    const reference = `localhost:${this.berth.port}/${repositoryName}:latest`
    await execute('skopeo', [
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      '--dest-creds',
      login,
      `oci:${image.layout}`,
      `docker://${reference}`,
    ])
    image.remove()
    return reference
  }

  /** A cluster with `count` instances, registered. `settings` are lines of the agent's configuration. */
  async cluster(
    clusterName: string,
    count: number,
    instanceType = 't3.small',
    settings: readonly string[] = [],
  ): Promise<void> {
    await this.ecs.send(new CreateClusterCommand({ clusterName }))
    if (count > 0) await this.launch(clusterName, count, instanceType, settings)
  }

  async launch(
    cluster: string,
    count: number,
    instanceType = 't3.small',
    settings: readonly string[] = [],
  ): Promise<string[]> {
    const connected = async (): Promise<number> => {
      const filter = 'agentConnected == true'
      const { containerInstanceArns } = await this.ecs.send(
        new ListContainerInstancesCommand({ cluster, filter }),
      )
      return containerInstanceArns?.length ?? 0
    }
    const had = await connected()
    const lines = [`ECS_CLUSTER=${cluster}`, ...settings]
    const UserData = Buffer.from(`${lines.join('\n')}\n`).toString('base64')
    const { Instances } = await this.ec2.send(
      new RunInstancesCommand({
        MinCount: count,
        MaxCount: count,
        InstanceType: instanceType as 't3.small',
        UserData,
      }),
    )
    await eventually('the agents connect', async () => (await connected()) === had + count)
    return (Instances ?? []).map((instance) => instance.InstanceId ?? '')
  }

  async containerInstances(cluster: string): Promise<string[]> {
    const { containerInstanceArns } = await this.ecs.send(new ListContainerInstancesCommand({ cluster }))
    return containerInstanceArns ?? []
  }

  async register(
    family: string,
    container: Partial<ContainerDefinition>,
    more: object = {},
  ): Promise<string> {
    const containerDefinitions = [{ name: 'main', memory: 32, ...container } as ContainerDefinition]
    await this.ecs.send(new RegisterTaskDefinitionCommand({ family, containerDefinitions, ...more }))
    return family
  }

  async run(cluster: string, taskDefinition: string): Promise<string> {
    const { tasks, failures } = await this.ecs.send(new RunTaskCommand({ cluster, taskDefinition }))
    const taskArn = tasks?.[0]?.taskArn
    if (taskArn === undefined) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`)
    return taskArn
  }

  async task(cluster: string, taskArn: string): Promise<Task> {
    const { tasks, failures } = await this.ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }))
    const task = tasks?.[0]
    if (!task) throw new Error(`no such task: ${JSON.stringify(failures)}`)
    return task
  }

  /** The task once it has come to `lastStatus`. */
  async taskAt(cluster: string, taskArn: string, lastStatus: string): Promise<Task> {
    return eventually(`task ${taskArn} is ${lastStatus}`, async () => {
      const task = await this.task(cluster, taskArn)
      return task.lastStatus === lastStatus && task
    })
  }

  /** Docker of an instance, as a user reaches it. */
  async docker(instanceId: string, ...words: readonly string[]): Promise<string> {
    const host = await this.berthCommand('docker-host', instanceId)
    const { stdout } = await execute('docker', ['-H', host, ...words])
    return stdout.trim()
  }

  async berthCommand(...words: readonly string[]): Promise<string> {
    const { stdout } = await execute('./berth', [...words, '--data', this.berth.directory])
    return stdout.trim()
  }

  /** Ends everything, instances and files included. */
  async end(): Promise<void> {
    this.ecs.destroy()
    this.ec2.destroy()
    this.ecr.destroy()
    execFileSync('./berth', ['down', '--purge', '--data', this.berth.directory], { stdio: 'ignore' })
    await this.berth.stop()
  }
}

/** What `look` gives once it gives something true; rejects after `seconds` with the last error if there was one. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | false | undefined>,
  seconds = 60,
): Promise<T> {
  const until = Date.now() + seconds * 1000
  let last: unknown
  while (Date.now() < until) {
    try {
      const found = await look()
      if (found !== false && found !== undefined) return found
    } catch (error) {
      last = error
    }
    await wait(100)
  }
  throw new Error(`${what}: not within ${seconds} s`, { cause: last })
}
