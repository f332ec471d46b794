/**
 * The wire side of the official agent, v1.105.1, as it was seen in runs of the real one: its requests with their headers
 * and what it signs of them, its websocket upgrades, its frames and their order. It runs no containers; tests say what
 * became of them.
 */
import { randomUUID } from 'node:crypto'
import { Agent as Connections, type IncomingMessage, request } from 'node:http'
import { type AcsServerMessage, decodeAcsServerMessage } from '@berth/agent-protocol/acs.ts'
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import { type Credentials, sign } from '@berth/agent/adapters/sign.ts'
import { WebSocket } from 'ws'
import { eventually } from './world.ts'

const region = 'us-east-1'
const version = { agentHash: 'a8b3e7d3', agentVersion: '1.105.1' }
const dockerVersion = '20.10.24+dfsg1'
const userAgent = 'Amazon ECS Agent - v1.105.1 (*a8b3e7d3) (linux; LINUX) (+http://aws.amazon.com/ecs/)'

const capabilities = [
  ...words(
    'ecs.capability.',
    'private-registry-authentication.secretsmanager secrets.ssm.environment-variables secrets.ssm.bootstrap.log-driver ecr-endpoint secrets.asm.environment-variables secrets.asm.bootstrap.log-driver container-ordering full-sync env-files.s3 network.container-port-range container-restart-policy',
  ),
  ...words('com.amazonaws.ecs.capability.', 'privileged-container'),
  ...words('com.amazonaws.ecs.capability.docker-remote-api.1.', '17 18 19 20 21 22 23 24 25 28 29 30 32'),
  ...words(
    'com.amazonaws.ecs.capability.',
    'logging-driver.json-file logging-driver.awslogs logging-driver.none',
  ),
  ...words('com.amazonaws.ecs.capability.', 'task-iam-role task-iam-role-network-host ecr-auth'),
  ...words(
    'ecs.capability.',
    'execution-role-ecr-pull container-health-check execution-role-awslogs docker-plugin.local firelens.fluentd firelens.fluentbit',
  ),
  ...words('com.amazonaws.ecs.capability.', 'logging-driver.awsfirelens'),
  ...words(
    'ecs.capability.',
    'logging-driver.awsfirelens.log-driver-buffer-limit firelens.non-root-user efs storage.s3-files firelens.options.config.file firelens.options.config.s3 external ipv6-only',
  ),
]

function words(
  prefix: string,
  names: string,
): ReadonlyArray<{ readonly name: string; readonly value?: string }> {
  return names.split(' ').map((name) => ({ name: prefix + name }))
}

const attributes = [
  ...capabilities,
  { name: 'ecs.os-type', value: 'linux' },
  { name: 'ecs.os-family', value: 'LINUX' },
  { name: 'ecs.os-type-detailed', value: 'LINUX' },
  { name: 'ecs.cpu-architecture', value: 'x86_64' },
]

type Message<Type extends AcsServerMessage['type']> = Extract<AcsServerMessage, { type: Type }>['message']

/** What a connection was told, in its order, with what it answers. */
class Commands {
  readonly messages: AcsServerMessage[] = []
  readonly socket: WebSocket
  closed: number | undefined

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('close', (code) => (this.closed = code))
    socket.on('message', (data: Buffer) => {
      const decoded = decodeAcsServerMessage(data.toString())
      if (decoded.kind !== 'message') throw new Error(`the official agent cannot read ${data.toString()}`)
      this.messages.push(decoded.message)
      this.#answer(decoded.message)
    })
  }

  #answer({ type, message }: AcsServerMessage): void {
    const { messageId } = message
    const say = (answer: string, content: object): void =>
      this.socket.send(JSON.stringify({ type: answer, message: { ...content, messageId } }))
    if (type === 'HeartbeatMessage') return say('HeartbeatAckRequest', {})
    if (type === 'IAMRoleCredentialsMessage')
      return say('IAMRoleCredentialsAckRequest', acknowledged(message.roleCredentials))
    if (type !== 'PayloadMessage' && type !== 'TaskManifestMessage') return
    // The answers are written by routines of their own, and theirs is the order seen.
    const tasks = type === 'PayloadMessage' ? message.tasks : []
    for (const { executionRoleCredentials } of tasks)
      if (executionRoleCredentials)
        say('IAMRoleCredentialsAckRequest', acknowledged(executionRoleCredentials))
    say('AckRequest', { cluster: message.clusterArn, containerInstance: message.containerInstanceArn })
    for (const { roleCredentials } of tasks)
      if (roleCredentials) say('IAMRoleCredentialsAckRequest', acknowledged(roleCredentials))
  }

  heard<Type extends AcsServerMessage['type']>(type: Type): Array<Message<Type>> {
    return this.messages.flatMap((one) => (one.type === type ? [one.message as Message<Type>] : []))
  }

  /** The last that was said of a task. */
  task(arn: string): Promise<PayloadTask> {
    return eventually(`the agent is told of ${arn}`, () =>
      Promise.resolve(
        this.heard('PayloadMessage')
          .flatMap(({ tasks }) => tasks)
          .findLast((task) => task.arn === arn),
      ),
    )
  }
}

const acknowledged = ({
  credentialsId,
  expiration,
}: {
  credentialsId: string
  expiration?: string
}): object => ({
  credentialsId,
  expiration,
})

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export class OfficialAgent {
  readonly url: URL
  readonly #key: Credentials
  readonly #cluster: string
  readonly #connections = new Connections({ keepAlive: true, maxSockets: 1 })
  #endpoints: { readonly acs: string; readonly tcs: string } | undefined
  #sendCredentials = true
  /** It keeps this on disk. */
  containerInstanceArn: string | undefined
  acs: Commands | undefined
  #tcs: { readonly socket: WebSocket; readonly url: URL; readonly frames: string[] } | undefined

  constructor(url: string, key: Credentials, cluster: string) {
    this.url = new URL(url)
    this.#key = key
    this.#cluster = cluster
  }

  /** A start of the process: it registers, asks for its endpoints once and opens both connections, TCS before ACS. */
  async start(): Promise<Answer> {
    this.#sendCredentials = true
    const known = this.containerInstanceArn
    const registered = await this.call('AmazonEC2ContainerServiceV20141113.RegisterContainerInstance', {
      attributes: known === undefined ? [{ name: 'rack', value: '7' }, ...attributes] : attributes,
      clientToken: randomUUID(),
      cluster: this.#cluster,
      ...(known !== undefined && { containerInstanceArn: known }),
      instanceIdentityDocument: '',
      instanceIdentityDocumentSignature: '',
      totalResources: [
        resource('CPU', { type: 'INTEGER', integerValue: 2048 }),
        resource('MEMORY', { type: 'INTEGER', integerValue: 24_103 }),
        resource('PORTS', { type: 'STRINGSET', stringSetValue: ['22', '2375', '2376', '51678', '51679'] }),
        resource('PORTS_UDP', { type: 'STRINGSET', stringSetValue: [] }),
      ],
    })
    const { containerInstance } = registered.body as { containerInstance?: { containerInstanceArn: string } }
    this.containerInstanceArn = known ?? containerInstance?.containerInstanceArn
    const { body } = await this.call('AmazonEC2ContainerServiceV20141113.DiscoverPollEndpoint', {
      cluster: this.#cluster,
      containerInstance: this.containerInstanceArn,
      zoneId: '',
    })
    this.#endpoints = { acs: String(body['endpoint']), tcs: String(body['telemetryEndpoint']) }
    await this.connectTelemetry()
    await this.connect()
    return registered
  }

  /** @throws with what the control plane answered when it refuses the upgrade */
  async connect(): Promise<void> {
    this.acs = new Commands(
      await this.#dial(this.#endpoints?.acs ?? '', {
        ...version,
        clusterArn: this.#cluster,
        containerInstanceArn: this.containerInstanceArn ?? '',
        dockerVersion: `DockerVersion: ${dockerVersion}`,
        protocolVersion: '2',
        sendCredentials: String(this.#sendCredentials),
        seqNum: '1',
      }),
    )
    this.#sendCredentials = false
  }

  async connectTelemetry(): Promise<void> {
    const query = {
      ...version,
      cluster: this.#cluster,
      containerInstance: this.containerInstanceArn ?? '',
      dockerVersion,
    }
    const endpoint = this.#endpoints?.tcs ?? ''
    const socket = await this.#dial(endpoint, query)
    const frames: string[] = []
    socket.on('message', (data: Buffer) => frames.push(data.toString()))
    this.#tcs = { socket, url: upgradeUrl(endpoint, query), frames }
    await this.publish('PublishMetricsRequest', { metadata: { fin: true, idle: true } }, 'AckPublishMetric')
  }

  /** Sends telemetry and waits for its acknowledgement; each frame starts with headers that are signed like a request. */
  async publish(
    type: string,
    { metadata, ...more }: { metadata: object },
    acknowledgement: string,
  ): Promise<void> {
    const at = {
      cluster: this.#cluster,
      containerInstance: this.containerInstanceArn,
      messageId: randomUUID(),
    }
    const message = { metadata: { ...at, ...metadata }, ...more, timestamp: Date.now() / 1000 }
    const { socket, url, frames } = this.#tcs ?? {}
    if (!socket || !url || !frames) throw new Error('there is no telemetry connection')
    const body = JSON.stringify({ type, message })
    const { authorization, 'x-amz-date': date } = this.#signed(url, 'GET', {}, body)
    const had = frames.length
    socket.send(`Authorization: ${authorization}\r\nHost: ${url.host}\r\nX-Amz-Date: ${date}\r\n\r\n${body}`)
    await eventually(`${type} is acknowledged`, () =>
      Promise.resolve(frames.slice(had).some((frame) => frame.startsWith(`{"type":"${acknowledgement}"`))),
    )
  }

  submit(task: string, status: string, containers: readonly object[], more: object = {}): Promise<Answer> {
    return this.call(
      'AmazonEC2ContainerServiceV20141113.SubmitTaskStateChange',
      { cluster: this.#cluster, containers, ...more, reason: '', status, task },
      { attempts: 298 },
    )
  }

  /** One request of its AWS SDK, for whichever service; as a role of a task when its credentials are given. */
  call(
    target: string,
    input: object,
    { service = 'ecs', key = this.#key, attempts = 3, suffix = '' } = {},
  ): Promise<Answer> {
    const body = JSON.stringify(input)
    const headers = this.#signed(
      this.url,
      'POST',
      {
        'amz-sdk-invocation-id': randomUUID(),
        'amz-sdk-request': `attempt=1; max=${attempts}`,
        'content-length': String(Buffer.byteLength(body)),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
      },
      body,
      { service, key },
    )
    return new Promise((resolve, reject) => {
      const sent = request(
        this.url,
        {
          method: 'POST',
          agent: this.#connections,
          headers: { ...headers, 'user-agent': userAgent + suffix, 'accept-encoding': 'gzip' },
        },
        (response) => void read(response).then(resolve, reject),
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** The process ends: nothing is said. */
  end(): void {
    this.acs?.socket.terminate()
    this.#tcs?.socket.terminate()
    this.#connections.destroy()
  }

  #signed(
    url: URL,
    method: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    { service, key } = { service: 'ecs', key: this.#key },
  ): Readonly<Record<string, string>> {
    return sign({ method, url, headers, body }, key, { region, service, nowMs: Date.now() })
  }

  #dial(endpoint: string, query: Readonly<Record<string, string>>): Promise<WebSocket> {
    const url = upgradeUrl(endpoint, query)
    const headers = { ...this.#signed(url, 'GET', {}, ''), 'user-agent': 'Go-http-client/1.1' }
    const address = url.href.replace('http', 'ws')
    const socket = new WebSocket(address, { headers, perMessageDeflate: false })
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(socket))
      socket.once('error', reject)
      socket.once('unexpected-response', (_, response) => {
        read(response).then(({ body }) => reject(new Error(JSON.stringify(body))), reject)
      })
    })
  }
}

const resource = (name: string, more: object): object => ({ name, ...more })

/** The query is in Go's encoding, sorted, with a `+` for a space. */
function upgradeUrl(endpoint: string, query: Readonly<Record<string, string>>): URL {
  const url = new URL(`${endpoint.replace(/\/?$/, '/')}ws`)
  url.search = new URLSearchParams(query).toString()
  return url
}

async function read(response: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }
}
