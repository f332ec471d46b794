/** What tests of the local endpoints run on: tasks as records, what Docker would show of them, and a small ECS API. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { createServer } from '@berth/wire/node-http.ts'
import { type ContainerRecord, newTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import { TaskCredentials } from '#runtime/credentials.ts'
import { fakeContainer, fakeTask, instanceArn } from '#runtime/fake-control-plane.ts'
import { taskApi } from '#adapters/aws-api.ts'
import type { InspectedContainer } from '#adapters/docker-shapes.ts'
import type { CredentialsAudit } from './credentials.ts'
import { containerEndpoint, introspectionEndpoint } from './server.ts'
import type { MetadataSource } from './source.ts'
import type { RatedStats } from './stats.ts'

export { fakeContainer, fakeTask }

const ids = idsFrom(prng(7))
const startMs = Date.parse('2026-11-23T00:00:00Z')

/** The record of a task, its containers changed as given by their names. */
export function recordOf(
  task: PayloadTask,
  containers: Readonly<Record<string, Partial<ContainerRecord>>> = {},
  more: Partial<TaskRecord> = {},
): TaskRecord {
  const record = newTaskRecord(task, ids, startMs)
  return {
    ...record,
    containers: record.containers.map((container) => ({ ...container, ...containers[container.name] })),
    ...more,
  }
}

export const idOf = (record: TaskRecord, name: string): string =>
  record.containers.find((container) => container.name === name)?.metadataId ?? 'none'

export function inspectedContainer(
  id: string,
  status: 'running' | 'exited',
  more: Partial<InspectedContainer> = {},
): InspectedContainer {
  return {
    Id: id,
    Name: `/${id}`,
    Image: 'sha256:33da',
    Created: '2026-11-23T00:00:01.865442865Z',
    Config: { Image: 'web:1', Labels: { my: 'label', 'com.amazonaws.ecs.cluster': 'proof' } },
    State: {
      Status: status,
      ExitCode: 0,
      OOMKilled: false,
      Error: '',
      StartedAt: '2026-11-23T00:00:02.272784006Z',
      FinishedAt: status === 'exited' ? '2026-11-23T00:00:03.5Z' : '0001-01-01T00:00:00Z',
    },
    NetworkSettings: { Networks: { bridge: { IPAddress: status === 'running' ? '172.17.0.2' : '' } } },
    Mounts: [{ Source: '/srv/data', Destination: '/data' }],
    ...more,
  }
}

interface Told {
  readonly operation: string
  readonly authorization: string
  readonly userAgent: string
  readonly input: Readonly<Record<string, unknown>>
}

export interface TestEndpoint {
  readonly clock: SimulatedClock
  readonly credentials: TaskCredentials
  readonly audited: CredentialsAudit[]
  /** What the ECS API was asked. */
  readonly told: Told[]
  readonly get: (path: string, init?: RequestInit) => Promise<{ status: number; body: unknown }>
  readonly end: () => void
}

export interface TestEndpointOptions {
  readonly records?: readonly TaskRecord[]
  readonly docker?: readonly InspectedContainer[]
  readonly stats?: Readonly<Record<string, RatedStats>>
  /** What the ECS API answers to an operation; nothing is a 400. */
  readonly ecs?: (operation: string, input: Readonly<Record<string, unknown>>) => object | undefined
  readonly introspection?: boolean
}

const url = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function testEndpoint(options: TestEndpointOptions): Promise<TestEndpoint> {
  const clock = new SimulatedClock(startMs)
  const credentials = new TaskCredentials(clock)
  const audited: CredentialsAudit[] = []
  const told: Told[] = []
  const ecs = ecsApi(options, told)
  const source: MetadataSource = {
    agent: {
      records: () => options.records ?? [],
      identity: () => ({ containerInstanceArn: instanceArn }),
      credentials,
    },
    docker: {
      inspectRaw: (id) =>
        Promise.resolve(options.docker?.find(({ Id, Name }) => Id === id || Name === `/${id}`)),
    },
    stats: { latest: (id) => Promise.resolve(options.stats?.[id]) },
    api: taskApi({
      endpoint: await url(ecs),
      region: 'us-east-1',
      credentials: () => Promise.resolve({ accessKeyId: 'AKIAINSTANCE', secretAccessKey: 'secret' }),
      userAgent: 'agent',
    }),
    clock,
    cluster: 'proof',
    region: 'us-east-1',
    location: { availabilityZone: 'us-east-1a', availabilityZoneId: 'use1-az1', vpcId: 'vpc-1' },
    versionText: 'Amazon ECS Agent - v1.105.0 (*be47be47)',
  }
  const server = options.introspection
    ? introspectionEndpoint(source)
    : containerEndpoint({
        source,
        rateLimit: { steady: 40, burst: 60 },
        audit: (entry) => audited.push(entry),
      })
  const base = await url(server)
  return {
    clock,
    credentials,
    audited,
    told,
    async get(path, init) {
      const response = await fetch(`${base}${path}`, init)
      const text = await response.text()
      const isJson = response.headers.get('content-type') === 'application/json'
      return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text }
    },
    end() {
      for (const one of [server, ecs]) one.close().closeAllConnections()
    },
  }
}

function ecsApi({ ecs }: TestEndpointOptions, told: Told[]): Server {
  return createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      const input = JSON.parse(body) as Readonly<Record<string, unknown>>
      const { authorization = '', 'user-agent': userAgent = '' } = request.headers
      told.push({ operation, authorization, userAgent, input })
      const answer = ecs?.(operation, input)
      response.writeHead(answer ? 200 : 400, { 'x-amzn-requestid': 'request-1' })
      response.end(
        JSON.stringify(answer ?? { __type: 'InvalidParameterException', message: 'not like this' }),
      )
    })()
  })
}
