/** The agent's two local endpoints: metadata and credentials for containers, and introspection for people. */
import type { Server } from 'node:http'
import { createServer } from '@berth/wire/node-http.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { CreateOptions } from '#engine/container-spec.ts'
import type { Agent } from '#runtime/agent.ts'
import type { DockerRuntime } from './docker.ts'
import {
  containerMetadata,
  introspectedTask,
  taskMetadata,
  type TaskMetadataContext,
} from './metadata-shapes.ts'

export const metadataPort = 51679
export const introspectionPort = 51678

export interface MetadataOptions {
  readonly agent: Agent
  readonly runtime: DockerRuntime
  readonly options: CreateOptions
  readonly versionText: string
}

interface Answer {
  readonly status: number
  readonly body: unknown
}
const ok = (body: unknown): Answer => ({ status: 200, body })

type Route = (url: URL) => Promise<Answer> | Answer

/** Answers containers under 169.254.170.2; listen on the loopback address. */
export function metadataServer(options: MetadataOptions): Server {
  return serve((url) => answerContainer(options, url))
}

/** Answers anybody who may reach the host. */
export function introspectionServer(options: MetadataOptions): Server {
  return serve((url) => introspect(options, url))
}

function serve(route: Route): Server {
  const server = createServer((request, response) => {
    void (async () => {
      let answer: Answer
      try {
        answer =
          request.method === 'GET'
            ? await route(new URL(request.url ?? '/', 'http://agent'))
            : { status: 405, body: 'method not allowed' }
      } catch (error) {
        answer = { status: 500, body: error instanceof Error ? error.message : String(error) }
      }
      const plain = typeof answer.body === 'string'
      response.writeHead(answer.status, { 'content-type': plain ? 'text/plain' : 'application/json' })
      response.end(plain ? answer.body : JSON.stringify(answer.body))
    })()
  })
  server.requestTimeout = 5000
  return server
}

async function answerContainer(options: MetadataOptions, url: URL): Promise<Answer> {
  const credentials =
    /^\/v2\/credentials\/(.+)$/.exec(url.pathname)?.[1] ??
    (url.pathname === '/v1/credentials' ? (url.searchParams.get('id') ?? '') : undefined)
  if (credentials !== undefined) return answerCredentials(options, credentials)
  const [, version, id, rest = ''] = /^\/(v3|v4)\/([^/]+)(?:\/(.*))?$/.exec(url.pathname) ?? []
  if ((version !== 'v3' && version !== 'v4') || id === undefined)
    return { status: 404, body: '404 page not found\n' }
  for (const record of options.agent.records())
    for (const container of record.containers)
      if (container.metadataId === id) {
        const context = metadataContext(options)
        if (rest === '') return ok(await containerMetadata(record, container, version, context))
        if (rest === 'task' || rest === 'taskWithTags')
          return ok(await taskMetadata(record, version, context))
        if (rest === 'stats') return ok((await options.runtime.rawStats(container.runtimeId ?? '')) ?? null)
        if (rest === 'task/stats') return ok(await taskStats(options, record))
        return { status: 404, body: '404 page not found\n' }
      }
  const name = version.toUpperCase()
  return {
    status: 404,
    body: `${name} container metadata handler: unable to get container ID from request: unable to get docker ID from v3 endpoint ID: ${id}`,
  }
}

function metadataContext({ agent, runtime, options }: MetadataOptions): TaskMetadataContext {
  const { availabilityZone } = agent.identity()
  return {
    options,
    detailOf: (runtimeId) => runtime.inspect(runtimeId),
    ...(availabilityZone !== undefined && { availabilityZone }),
  }
}

async function taskStats({ runtime }: MetadataOptions, { containers }: TaskRecord): Promise<object> {
  const ids = containers.flatMap(({ runtimeId }) => runtimeId ?? [])
  const all = await Promise.all(ids.map(async (id) => [id, (await runtime.rawStats(id)) ?? null] as const))
  return Object.fromEntries(all)
}

function answerCredentials({ agent }: MetadataOptions, id: string): Answer {
  const failure = (status: number, code: string, message: string): Answer => ({
    status,
    body: { code, message: `CredentialsV2Request: ${message}`, HTTPErrorCode: status },
  })
  if (id === '') return failure(400, 'NoIdInRequest', 'No ID in the request')
  const found = agent.credentials(id)
  if (!found) {
    const expected = agent.records().some(({ credentialsId }) => credentialsId === id)
    return expected
      ? failure(503, 'CredentialsUninitialized', 'Credentials uninitialized for ID')
      : failure(400, 'InvalidIdInRequest', 'Credentials not found')
  }
  return ok({
    RoleArn: found.roleArn,
    AccessKeyId: found.accessKeyId,
    SecretAccessKey: found.secretAccessKey,
    Token: found.sessionToken,
    Expiration: found.expiration,
  })
}

function introspect({ agent, options, versionText }: MetadataOptions, url: URL): Answer {
  switch (url.pathname) {
    case '/':
      return ok({ AvailableCommands: ['/v1/metadata', '/v1/tasks', '/license'] })
    case '/license':
      return { status: 200, body: 'Apache License 2.0: https://www.apache.org/licenses/LICENSE-2.0\n' }
    case '/v1/metadata':
      return ok({
        Cluster: options.cluster,
        ContainerInstanceArn: agent.identity().containerInstanceArn ?? null,
        Version: versionText,
      })
    case '/v1/tasks': {
      const arn = url.searchParams.get('taskarn')
      const dockerId = url.searchParams.get('dockerid')
      if (arn === null && dockerId === null) return ok({ Tasks: agent.records().map(introspectedTask) })
      const found = agent
        .records()
        .find(({ task, containers }) =>
          arn === null
            ? containers.some(({ runtimeId }) => dockerId && runtimeId?.startsWith(dockerId))
            : task.arn === arn,
        )
      if (found) return ok(introspectedTask(found))
      return { status: 404, body: { Arn: '', Family: '', Version: '', Containers: null } }
    }
    default:
      return { status: 404, body: '404 page not found\n' }
  }
}
