// What the API answers, of one control plane with its journal on disk: throughput at saturation, and latency at a
// modest rate with 100,000 tasks in state. One JSON line a figure.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type RunningControlPlane, startControlPlane } from '@berth/tools/control-plane.ts'
import { SignatureV4 } from '@smithy/signature-v4'
import { createHash, createHmac } from 'node:crypto'
import { joinAcknowledgingAgent } from './acknowledging-agent.ts'
import { Connection, requestBytes } from './connection.ts'
import { figure } from './figure.ts'
import { tasks, writeFleet } from './stored-state.ts'

const cluster = 'bench'
const connectionsCount = 16
const secondsEach = 3
const agents = 20
const ratePerSecond = 500
const rateSeconds = 10
/** Under --dev any signature will do, as long as there is one. */
const unchecked = {
  host: 'localhost',
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0',
  'x-amz-date': '20260101T000000Z',
}
const headersOf = (operation: string) => ({
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
})
const ready = (operation: string, input: object): Buffer =>
  requestBytes({ ...unchecked, ...headersOf(operation) }, JSON.stringify(input))

async function answered(connection: Connection, request: Buffer): Promise<Buffer> {
  const { status, body } = await connection.send(request)
  if (status !== 200) throw new Error(`${request.toString()}: ${status} ${body.toString()}`)
  return body
}

/** All connections send as fast as they are answered. */
async function saturate(name: string, connections: readonly Connection[], next: () => Buffer): Promise<void> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const end = started + secondsEach * 1000
  let count = 0
  const work = async (connection: Connection): Promise<void> => {
    while (performance.now() < end) {
      await answered(connection, next())
      count++
    }
  }
  await Promise.all(connections.map(work))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  // Near 1 the client itself was what limited.
  const clientCores = Number(((user + system) / 1e6 / seconds).toFixed(2))
  figure(`api.${name}`, count / seconds, 'requests/s', { connections: connections.length, clientCores })
}

/** Sends at a fixed rate, whether or not what went before is answered: each request on a connection that is free. */
async function pace(port: number, requests: ReadonlyArray<readonly [string, () => Buffer]>): Promise<void> {
  const latencies = new Map(requests.map(([name]) => [name, [] as number[]]))
  const free: Connection[] = []
  const underWay = new Set<Promise<void>>()
  const send = async (name: string, request: Buffer): Promise<void> => {
    const connection = free.pop() ?? (await Connection.open(port))
    const sentMs = performance.now()
    await answered(connection, request)
    latencies.get(name)?.push(performance.now() - sentMs)
    free.push(connection)
  }
  const started = performance.now()
  for (let sent = 0; sent < ratePerSecond * rateSeconds;) {
    const due = ((performance.now() - started) / 1000) * ratePerSecond
    for (; sent < due; sent++) {
      const [name, request] = requests[sent % requests.length] ?? ['', () => Buffer.alloc(0)]
      const answer = send(name, request())
      underWay.add(answer)
      void answer.finally(() => underWay.delete(answer))
    }
    await wait(1)
  }
  await Promise.all(underWay)
  for (const connection of free) connection.close()
  latencies.set('mixed', [...latencies.values()].flat())
  for (const [name, values] of latencies) {
    values.sort((a, b) => a - b)
    const at = (share: number): number => values[Math.floor(values.length * share)] ?? Number.NaN
    const more = { ratePerSecond, tasks }
    figure(`api.rate.${name}.p50`, at(0.5), 'ms', more)
    figure(`api.rate.${name}.p99`, at(0.99), 'ms', more)
  }
}

async function unsigned(berth: RunningControlPlane, arns: readonly string[]): Promise<void> {
  const connections = await Promise.all(
    Array.from({ length: connectionsCount }, () => Connection.open(berth.port)),
  )
  const [first] = connections
  if (!first) return
  const call = async (operation: string, input: object): Promise<unknown> =>
    JSON.parse((await answered(first, ready(operation, input))).toString()) as unknown
  await call('RegisterTaskDefinition', {
    family: 'bench',
    containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
  })
  for (let index = 0; index < agents; index++)
    await joinAcknowledgingAgent({ url: berth.url, cluster, headers: unchecked, call })
  const list = ready('ListClusters', {})
  const run = ready('RunTask', { cluster, taskDefinition: 'bench' })
  const listTasks = ready('ListTasks', { cluster })
  await saturate('list-clusters', connections, () => list)
  const describe = arns.map((arn) => ready('DescribeTasks', { cluster, tasks: [arn] }))
  let next = 0
  const nextDescribe = (): Buffer => describe[(next += 7919) % describe.length] ?? list
  figure('api.resident', berth.residentMB(), 'MB', { tasks })
  await pace(berth.port, [
    ['run-task', () => run],
    ['describe-tasks', nextDescribe],
    ['list-tasks', () => listTasks],
  ])
  await saturate('describe-tasks', connections, nextDescribe)
  await saturate('list-tasks', connections, () => listTasks)
  await saturate('run-task', connections, () => run)
  for (const connection of connections) connection.close()
}

/** The same request with a signature that is checked. It holds for five minutes, so it is made once. */
async function signed(berth: RunningControlPlane): Promise<void> {
  const file = readFileSync(join(berth.directory, 'credentials'), 'utf8')
  const value = (name: string): string => new RegExp(`${name}=(\\S+)`).exec(file)?.[1] ?? ''
  const signer = new SignatureV4({
    service: 'ecs',
    region: 'us-east-1',
    credentials: { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') },
    sha256: Sha256,
  })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: '127.0.0.1',
    path: '/',
    headers: { host: '127.0.0.1', ...headersOf('ListClusters') },
    body: '{}',
  })
  const list = requestBytes(headers, '{}')
  const connections = await Promise.all(
    Array.from({ length: connectionsCount }, () => Connection.open(berth.port)),
  )
  await saturate('list-clusters.signed', connections, () => list)
  for (const connection of connections) connection.close()
}

/** What the signer asks of a hash. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array)
  }
  update(data: Uint8Array): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}

const directory = mkdtempSync(join(tmpdir(), 'berth-run-'))
const arns = await writeFleet(join(directory, 'state.sqlite'))
for (const [flags, measure] of [
  [['--dev'], (berth: RunningControlPlane) => unsigned(berth, arns)],
  [[], signed],
] as const) {
  const berth = await startControlPlane(flags, flags.length > 0 ? { directory } : {})
  try {
    await measure(berth)
  } finally {
    await berth.stop()
  }
}
process.exit() // The agents' connections would hold it.
