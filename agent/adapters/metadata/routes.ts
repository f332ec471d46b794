/** Where the task metadata endpoint answers, and the official agent's texts where it cannot. */
import type { TaskRecord } from '#engine/task-record.ts'
import { type Answer, type Asked, failed, ok, type Route, sourceAddress } from './answer.ts'
import { containerDocument, taskDocument, type Version } from './documents.ts'
import { byAddress, byEndpointId, type Found, type MetadataSource, taskInterface } from './source.ts'

type Addressed = 'v3' | 'v4'

/** Versions 3 and 4 tell who asks by the address asked, `$ECS_CONTAINER_METADATA_URI[_V4]`. */
export function addressedRoutes(source: MetadataSource, version: Addressed): readonly Route[] {
  const under = (rest: string): RegExp => new RegExp(`^/${version}/([^/]*)${rest}$`)
  return [
    { path: under(''), answer: ([id = '']) => container(source, version, id) },
    { path: under('/task'), answer: ([id = '']) => task(source, version, id, false) },
    { path: under('/taskWithTags'), answer: ([id = '']) => task(source, version, id, true) },
    { path: under('/stats'), answer: ([id = '']) => containerStats(source, version, id) },
    { path: under('/task/stats'), answer: ([id = '']) => taskStats(source, version, id) },
    { path: under('/associations/([^/]*)/?'), answer: ([id = '']) => associations(source, version, id) },
    {
      path: under('/associations/([^/]*)/(.+)'),
      answer: ([id = '', type = '', name = '']) => association(source, version, id, type, name),
    },
  ]
}

const noTask = (id: string): string =>
  `unable to get task arn from request: unable to get task Arn from v3 endpoint ID: ${id}`
const noContainer = (id: string, word = 'ID'): string =>
  `unable to get container ${word} from request: unable to get docker ID from v3 endpoint ID: ${id}`

const lookupFailed = (version: Addressed, what: string, text: string, v3Status: number): Answer =>
  failed(version === 'v4' ? 404 : v3Status, `${version.toUpperCase()} ${what} handler: ${text}`)

/** The container at an address, once it has been made. */
function made(source: MetadataSource, id: string): (Found & { readonly runtimeId: string }) | undefined {
  const found = byEndpointId(source, id)
  return found?.container.runtimeId === undefined
    ? undefined
    : { ...found, runtimeId: found.container.runtimeId }
}

async function container(source: MetadataSource, version: Addressed, id: string): Promise<Answer> {
  const found = made(source, id)
  if (!found) return lookupFailed(version, 'container metadata', noContainer(id), 500)
  return ok(await containerDocument(source, found.record, found.container, version))
}

async function task(
  source: MetadataSource,
  version: Addressed,
  id: string,
  withTags: boolean,
): Promise<Answer> {
  const found = byEndpointId(source, id)
  if (!found) return lookupFailed(version, 'task metadata', noTask(id), 500)
  return ok(await taskDocument(source, found.record, version, withTags ? found.container : undefined))
}

async function containerStats(source: MetadataSource, version: Addressed, id: string): Promise<Answer> {
  if (!byEndpointId(source, id)) return lookupFailed(version, 'container stats', noTask(id), 400)
  const found = made(source, id)
  if (!found) return lookupFailed(version, 'container stats', noContainer(id), 400)
  const stats = await statsOf(source, found.record, found.runtimeId, version)
  return stats
    ? ok(stats)
    : failed(version === 'v4' ? 500 : 400, `Unable to get container stats for: ${found.runtimeId}`)
}

async function taskStats(source: MetadataSource, version: Addressed, id: string): Promise<Answer> {
  const found = byEndpointId(source, id)
  if (!found) return lookupFailed(version, 'task stats', noTask(id), 400)
  return ok(await statsByContainer(source, found.record, version))
}

/** By Docker id; null of a container that has no figures, because it does not run yet or any more. */
async function statsByContainer(
  source: MetadataSource,
  record: TaskRecord,
  version: Version,
): Promise<object> {
  const ids = record.containers.flatMap(({ runtimeId }) => runtimeId ?? [])
  const all = await Promise.all(
    ids.map(async (id) => [id, (await statsOf(source, record, id, version)) ?? null] as const),
  )
  return Object.fromEntries(all)
}

/** Docker's figures as they are; only version 4 adds rates. */
async function statsOf(
  source: MetadataSource,
  record: TaskRecord,
  runtimeId: string,
  version: Version,
): Promise<object | undefined> {
  const stats = await source.stats.latest(runtimeId, taskInterface(record) ? record.containers.length : 0)
  if (version === 'v4' || !stats) return stats
  const { network_rate_stats: _rates, ...plain } = stats
  return plain
}

/** Accelerators of EC2 instances are associations; a container here has none. */
function associations(source: MetadataSource, version: Addressed, id: string): Answer {
  const found = made(source, id)
  return found
    ? ok({ Associations: [] })
    : failed(400, `${version.toUpperCase()} container associations handler: ${noContainer(id, 'id')}`)
}

function association(
  source: MetadataSource,
  version: Addressed,
  id: string,
  type: string,
  name: string,
): Answer {
  return byEndpointId(source, id)
    ? failed(
        400,
        `Unable to write container association response: unable to get association from association type ${type} and association name ${name}`,
      )
    : failed(400, `${version.toUpperCase()} container associations handler: ${noTask(id)}`)
}

/** Version 2 tells who asks by where the request comes from, so it answers only tasks with a network of their own. */
export function sourceRoutes(source: MetadataSource): readonly Route[] {
  return [
    { path: /^\/v2\/metadata\/?$/, answer: (_, asked) => whole(source, asked, false) },
    { path: /^\/v2\/metadataWithTags\/?$/, answer: (_, asked) => whole(source, asked, true) },
    { path: /^\/v2\/metadata\/(.+)$/, answer: ([id = ''], asked) => one(source, asked, id) },
    { path: /^\/v2\/stats\/?$/, answer: (_, asked) => wholeStats(source, asked) },
    { path: /^\/v2\/stats\/(.+)$/, answer: ([id = ''], asked) => oneStats(source, asked, id) },
  ]
}

async function withTask(
  source: MetadataSource,
  asked: Asked,
  answer: (record: TaskRecord) => Promise<Answer>,
): Promise<Answer> {
  const address = sourceAddress(asked)
  const record = byAddress(source, address)
  return record
    ? answer(record)
    : failed(400, `Unable to get task arn from request: unable to associate '${address}' with task`)
}

function whole(source: MetadataSource, asked: Asked, withTags: boolean): Promise<Answer> {
  return withTask(source, asked, async (record) =>
    ok(await taskDocument(source, record, 'v2', withTags ? record.containers[0] : undefined)),
  )
}

/** As the official agent, it does not ask whether the container is one of the asking task's. */
function one(source: MetadataSource, asked: Asked, runtimeId: string): Promise<Answer> {
  return withTask(source, asked, async () => {
    for (const record of source.agent.records())
      for (const container of record.containers)
        if (container.runtimeId === runtimeId)
          return ok(await containerDocument(source, record, container, 'v2'))
    return failed(400, `Unable to generate metadata for container '${runtimeId}'`)
  })
}

function wholeStats(source: MetadataSource, asked: Asked): Promise<Answer> {
  return withTask(source, asked, async (record) => ok(await statsByContainer(source, record, 'v2')))
}

function oneStats(source: MetadataSource, asked: Asked, runtimeId: string): Promise<Answer> {
  return withTask(source, asked, async (record) => {
    const own = record.containers.some((container) => container.runtimeId === runtimeId)
    const stats = own ? await statsOf(source, record, runtimeId, 'v2') : undefined
    return stats ? ok(stats) : failed(400, `Unable to get container stats for: ${runtimeId}`)
  })
}
