// What the API answers, of one control plane with its journal on disk and signatures checked: requests a second and
// latencies as fast as 1 and 16 connections go, and latencies at a modest rate; with 100 and with 100,000 tasks in state.
// One JSON line a figure.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type RunningControlPlane, startControlPlane } from '@berth/tools/control-plane.ts'
import { joinAcknowledgingAgent } from './acknowledging-agent.ts'
import { Connection } from './connection.ts'
import { figure } from './figure.ts'
import { Signer } from './signer.ts'
import { writeFleet } from './stored-state.ts'

const cluster = 'bench'
const secondsEach = 3
const agents = 20
const ratePerSecond = 500
const rateSeconds = 10

/** One kind of request; the ready bytes of each are sent in turn. */
interface Load {
  readonly name: string
  readonly requests: readonly Buffer[]
}

async function answered(connection: Connection, request: Buffer): Promise<Buffer> {
  const { status, body } = await connection.send(request)
  if (status !== 200) throw new Error(`${request.toString()}: ${status} ${body.toString()}`)
  return body
}

function inTurn({ name, requests }: Load): () => Buffer {
  let next = -1
  return () => {
    next = (next + 1) % requests.length
    const request = requests[next]
    if (!request) throw new Error(`there is no request for ${name}`)
    return request
  }
}

function percentiles(name: string, latencies: number[], more: Readonly<Record<string, unknown>>): void {
  latencies.sort((one, other) => one - other)
  for (const percent of [50, 99])
    figure(
      `${name}.p${percent}`,
      latencies[Math.floor((latencies.length * percent) / 100)] ?? NaN,
      'ms',
      more,
    )
}

/** All connections send as fast as they are answered. */
async function saturate(port: number, load: Load, connections: number, tasks: number): Promise<void> {
  const next = inTurn(load)
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const started = performance.now()
  const work = async (connection: Connection): Promise<void> => {
    for (;;) {
      const sentMs = performance.now()
      if (sentMs > started + secondsEach * 1000) return connection.close()
      await answered(connection, next())
      latencies.push(performance.now() - sentMs)
    }
  }
  await Promise.all(open.map(work))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  // Near 1 the client itself was what limited.
  const clientCores = Number(((user + system) / 1e6 / seconds).toFixed(2))
  figure(`api.${load.name}`, latencies.length / seconds, 'requests/s', { connections, tasks, clientCores })
  percentiles(`api.${load.name}`, latencies, { connections, tasks })
}

/** Sends at a fixed rate, whether or not what went before is answered: each request on a connection that is free. */
async function pace(port: number, loads: readonly Load[], tasks: number): Promise<void> {
  const kinds = loads.map((load) => ({ name: load.name, next: inTurn(load), latencies: [] as number[] }))
  const free: Connection[] = []
  const underWay = new Set<Promise<void>>()
  const send = async (latencies: number[], request: Buffer): Promise<void> => {
    const connection = free.pop() ?? (await Connection.open(port))
    const sentMs = performance.now()
    await answered(connection, request)
    latencies.push(performance.now() - sentMs)
    free.push(connection)
  }
  const started = performance.now()
  for (let sent = 0; sent < ratePerSecond * rateSeconds;) {
    const due = ((performance.now() - started) / 1000) * ratePerSecond
    for (; sent < due; sent++) {
      const kind = kinds[sent % kinds.length]
      if (!kind) return
      const answer = send(kind.latencies, kind.next())
      underWay.add(answer)
      void answer.finally(() => underWay.delete(answer))
    }
    await wait(1)
  }
  await Promise.all(underWay)
  for (const connection of free) connection.close()
  const more = { ratePerSecond, tasks }
  for (const { name, latencies } of kinds) percentiles(`api.rate.${name}`, latencies, more)
  percentiles(
    'api.rate.mixed',
    kinds.flatMap(({ latencies }) => latencies),
    more,
  )
}

async function measure(berth: RunningControlPlane, arns: readonly string[]): Promise<void> {
  const tasks = arns.length
  const signer = new Signer(berth.directory, berth.port)
  const first = await Connection.open(berth.port)
  const call = async (operation: string, input: object): Promise<unknown> =>
    JSON.parse((await answered(first, await signer.call(operation, input))).toString()) as unknown
  const definition = {
    family: 'bench',
    containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
  }
  await call('RegisterTaskDefinition', definition)
  for (let index = 0; index < agents; index++)
    await joinAcknowledgingAgent({ url: berth.url, cluster, signer, call })
  figure('api.resident', berth.residentMB(), 'MB', { tasks })

  // Tasks from all over the state, so that no cache of a processor holds them.
  const spread = (count: number, offset: number): string[] =>
    Array.from({ length: count }, (_, index) => arns[(offset * 7919 + index * 104_729) % tasks] ?? '')
  const load = async (name: string, operation: string, ...inputs: object[]): Promise<Load> => ({
    name,
    requests: await Promise.all(inputs.map((input) => signer.call(operation, input))),
  })
  const variants = Array.from({ length: 32 }, (_, index) => index)
  const runTask = await load('run-task', 'RunTask', { cluster, taskDefinition: 'bench' })
  const listTasks = await load('list-tasks', 'ListTasks', { cluster })
  const describeOne = await load(
    'describe-task',
    'DescribeTasks',
    ...variants.map((offset) => ({ cluster, tasks: spread(1, offset) })),
  )
  const describeHundred = await load(
    'describe-100-tasks',
    'DescribeTasks',
    ...variants.map((offset) => ({ cluster, tasks: spread(100, offset) })),
  )
  const register = await load('register-task-definition', 'RegisterTaskDefinition', definition)
  const listClusters = await load('list-clusters', 'ListClusters', {})
  // Right after a start indexes are still being made, code is not compiled yet, and the first list puts its rows in order.
  for (const kind of [runTask, describeOne, listTasks])
    for (let sent = 0; sent < 500; sent++) await answered(first, inTurn(kind)())
  await pace(berth.port, [runTask, describeOne, listTasks], tasks)
  for (const kind of [listClusters, describeOne, describeHundred, listTasks, register, runTask])
    for (const connections of [1, 16]) await saturate(berth.port, kind, connections, tasks)
  first.close()
}

for (const tasks of [100, 100_000]) {
  const directory = mkdtempSync(join(tmpdir(), 'berth-run-'))
  const arns = await writeFleet(join(directory, 'state.sqlite'), { instances: tasks / 100, tasks })
  const berth = await startControlPlane([], { directory })
  try {
    await measure(berth, arns)
  } finally {
    await berth.stop()
  }
}
process.exit() // The agents' connections would hold it.
