import type { Container, RegisterContainerInstanceCommandInput } from '@aws-sdk/client-ecs'
import { randomBytes } from 'node:crypto'
import { executeCommandCapability } from '@berth/agent/engine/managed-agents.ts'
import { attributes } from '@berth/agent/engine/registration.ts'
import { decodeAcsServerMessage } from '@berth/agent-protocol/acs.ts'
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import { WebSocket } from 'ws'
import type { Account } from './account.ts'
import { eventually } from './world.ts'

const capabilities = attributes({
  apiVersion: '1.44',
  loggingDrivers: ['json-file', 'awslogs'],
  external: false,
  cpuArchitecture: 'x86_64',
  custom: {},
  // So that tasks with execute command are placed on it; it runs no commands.
  found: [{ name: executeCommandCapability }],
})
const integer = (name: string, integerValue: number) => ({ name, type: 'INTEGER', integerValue })

/**
 * An agent at the other end of a real websocket that runs no containers but reports as if it did: what a task's
 * containers do is written in the names of their images, and all that takes time elsewhere is over at once.
 *
 * `exits-N` ends with N as soon as it runs, `unpullable` is not there to be pulled, `stuck` never starts; all others
 * run until they are to stop, and pass their health checks at once.
 */
export class ScriptedAgent {
  readonly containerInstanceArn: string
  readonly #account: Account
  readonly #cluster: string
  readonly #commands: WebSocket
  readonly #telemetry: WebSocket
  readonly #tasks = new Map<string, PayloadTask>()
  /** Reports go out one after another, as an agent sends them. */
  #reports: Promise<unknown> = Promise.resolve()
  #ended = false

  private constructor(
    account: Account,
    cluster: string,
    containerInstanceArn: string,
    sockets: { readonly commands: WebSocket; readonly telemetry: WebSocket },
  ) {
    this.#account = account
    this.#cluster = cluster
    this.containerInstanceArn = containerInstanceArn
    this.#commands = sockets.commands
    this.#telemetry = sockets.telemetry
    this.#commands.on('message', (data: Buffer) => this.#hear(data.toString()))
  }

  /** Registers a container instance of 4 vCPUs and 8 GiB and connects its agent. */
  static async join(
    account: Account,
    cluster: string,
    more: Partial<RegisterContainerInstanceCommandInput> = {},
  ): Promise<ScriptedAgent> {
    const { containerInstance } = await account.ecs.registerContainerInstance({
      cluster,
      totalResources: [integer('CPU', 4096), integer('MEMORY', 8192)],
      versionInfo: { agentVersion: '1.99.0', agentHash: '0', dockerVersion: 'DockerVersion: 29.0.0' },
      attributes: [...capabilities],
      instanceIdentityDocument: JSON.stringify({
        accountId: account.id,
        region: 'us-east-1',
        availabilityZone: 'us-east-1a',
        instanceId: `i-${randomBytes(9).toString('hex').slice(1)}`,
        instanceType: 't3.xlarge',
        imageId: 'ami-00000000000000000',
        architecture: 'x86_64',
      }),
      ...more,
    })
    const { containerInstanceArn = '' } = containerInstance ?? {}
    const version = { agentVersion: '1.99.0', agentHash: '0' }
    const commands = socketTo(account, '/acs/ws', { clusterArn: cluster, containerInstanceArn, ...version })
    const telemetry = socketTo(account, '/tcs/ws', { cluster, containerInstance: containerInstanceArn })
    const agent = new ScriptedAgent(account, cluster, containerInstanceArn, { commands, telemetry })
    for (const socket of [commands, telemetry])
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    await eventually('the agent is connected', async () => {
      const found = await account.ecs.describeContainerInstances({
        cluster,
        containerInstances: [containerInstanceArn],
      })
      return found.containerInstances?.[0]?.agentConnected
    })
    return agent
  }

  /** Hangs up, and reports nothing any more. */
  async leave(): Promise<void> {
    this.#ended = true
    this.#commands.terminate()
    this.#telemetry.terminate()
    await this.#reports
  }

  #hear(frame: string): void {
    const decoded = decodeAcsServerMessage(frame)
    if (decoded.kind !== 'message') throw new Error(`an agent cannot read ${frame}`)
    if (decoded.message.type !== 'PayloadMessage') return
    const { messageId, tasks } = decoded.message.message
    const message = { cluster: this.#cluster, containerInstance: this.containerInstanceArn, messageId }
    this.#commands.send(JSON.stringify({ type: 'AckRequest', message }))
    for (const task of tasks) this.#reports = this.#reports.then(() => this.#act(task))
  }

  async #act(task: PayloadTask): Promise<void> {
    const known = this.#tasks.has(task.arn)
    if (!known && task.containers) this.#tasks.set(task.arn, task)
    if (task.desiredStatus === 'STOPPED') return this.#report(task.arn, 'STOPPED', { exitCode: 137 })
    const images = task.containers?.map(({ image }) => image) ?? []
    if (known || images.includes('stuck')) return
    if (images.includes('unpullable')) {
      const reason =
        'CannotPullContainerError: pull image manifest has been retried 1 time(s): unpullable: not found'
      return this.#report(task.arn, 'STOPPED', { reason })
    }
    await this.#report(task.arn, 'RUNNING')
    this.#reportHealth(task)
    const exit = images.map((image) => /^exits-(\d+)$/.exec(image)?.[1]).find(Boolean)
    if (exit !== undefined) await this.#report(task.arn, 'STOPPED', { exitCode: Number(exit) })
  }

  #reportHealth({ arn, containers = [] }: PayloadTask): void {
    const checked = containers.filter(({ healthCheckType }) => healthCheckType === 'docker')
    if (checked.length === 0 || this.#ended) return
    const healthStatus = 'HEALTHY'
    const message = {
      metadata: {
        cluster: this.#cluster,
        containerInstance: this.containerInstanceArn,
        messageId: arn,
        fin: true,
      },
      tasks: [
        { taskArn: arn, containers: checked.map(({ name }) => ({ containerName: name, healthStatus })) },
      ],
    }
    this.#telemetry.send(JSON.stringify({ type: 'PublishHealthRequest', message }))
  }

  async #report(
    taskArn: string,
    status: 'RUNNING' | 'STOPPED',
    said: Pick<Container, 'exitCode' | 'reason'> = {},
  ): Promise<void> {
    if (this.#ended) return
    const containers = (this.#tasks.get(taskArn)?.containers ?? []).map(({ name, portMappings }) => ({
      containerName: name,
      status,
      ...said,
      // What was never pulled was never made.
      ...(said.reason === undefined && {
        runtimeId: `${taskArn.slice(-32)}-${name}`,
        imageDigest: `sha256:${'0'.repeat(64)}`,
      }),
      ...(status === 'RUNNING' && {
        networkBindings: portMappings.map(({ containerPort, hostPort }, index) => ({
          bindIP: '0.0.0.0',
          containerPort,
          hostPort: hostPort || 32_768 + index,
          protocol: 'tcp' as const,
        })),
      }),
    }))
    const now = new Date()
    await this.#account.ecs.submitTaskStateChange({
      cluster: this.#cluster,
      task: taskArn,
      status,
      containers,
      ...(status === 'RUNNING'
        ? { pullStartedAt: now, pullStoppedAt: now }
        : { executionStoppedAt: now, ...(said.reason !== undefined && { reason: said.reason }) }),
    })
  }
}

function socketTo(account: Account, path: string, query: Readonly<Record<string, string>>): WebSocket {
  const url = account.url.replace('http', 'ws')
  // With --dev any signature will do, as long as there is one; the key says whose account it is.
  const credential = `${account.id}/20260101/us-east-1/ecs/aws4_request`
  return new WebSocket(`${url}${path}?${new URLSearchParams(query)}`, {
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
      'x-amz-date': '20260101T000000Z',
    },
  })
}
