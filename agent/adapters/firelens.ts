import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contribution, Contributions } from '#engine/contribution.ts'
import { objectPlace } from '#engine/environment-file.ts'
import {
  isRouted,
  routedLogConfig,
  routerConfiguration,
  routerOf,
  type RouterType,
} from '#engine/firelens.ts'
import { containerRecord } from '#engine/task-plan.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { TaskCredentials } from '#runtime/credentials.ts'
import { type GetObject, ObjectError } from '#runtime/environment-files.ts'
import { ResourceError, type TaskResource } from '#runtime/task-resources.ts'

export interface FirelensOptions {
  /** Where the agent keeps its files. */
  readonly directory: string
  /** The same as Docker sees it. */
  readonly directoryOnHost: string
  readonly cluster: string
  readonly instanceId?: string
  readonly getObject: GetObject
  readonly credentials: TaskCredentials
}

const port = '24224'
/** The name by which containers on a bridge reach their router. */
const alias = 'firelens'
const places = {
  fluentbit: { own: '/fluent-bit/etc/fluent-bit.conf', external: '/fluent-bit/etc/external.conf' },
  fluentd: { own: '/fluentd/etc/fluent.conf', external: '/fluentd/etc/external.conf' },
} as const

/** A task's log router: its configuration, its socket on the host, and the log drivers of those whose logs it gets. */
export function firelens(options: FirelensOptions): TaskResource {
  const directoryOf = (root: string, { task }: TaskRecord): string =>
    join(root, 'firelens', task.arn.slice(task.arn.lastIndexOf('/') + 1))
  return {
    name: 'FireLens',
    isNeeded: ({ task }) => routerOf(task) !== undefined,
    async provide(record) {
      const directory = directoryOf(options.directory, record)
      for (const part of ['config', 'socket']) await mkdir(join(directory, part), { recursive: true })
      // A router that is not root makes its socket there too.
      await chmod(join(directory, 'socket'), 0o777)
      await writeConfiguration(options, record, directory)
      return contributions(record, directoryOf(options.directoryOnHost, record))
    },
    release: (record) => rm(directoryOf(options.directory, record), { recursive: true, force: true }),
  }
}

function routerType(record: TaskRecord): RouterType {
  return routerOf(record.task)?.firelensConfiguration?.type === 'fluentd' ? 'fluentd' : 'fluentbit'
}

const isBridged = ({ task }: TaskRecord): boolean => (task.networkMode ?? 'bridge') === 'bridge'

async function writeConfiguration(
  options: FirelensOptions,
  record: TaskRecord,
  directory: string,
): Promise<void> {
  const type = routerType(record)
  const given = routerOf(record.task)?.firelensConfiguration?.options ?? {}
  const kind = given['config-file-type']
  const value = given['config-file-value'] ?? ''
  if (kind === 's3') {
    const text = await fetchConfiguration(options, record, value)
    await writeFile(join(directory, 'config', 'external.conf'), text)
  }
  const include = kind === 's3' ? places[type].external : kind === 'file' ? value : undefined
  const { cluster, instanceId } = options
  const onFargate = record.task.launchType === 'FARGATE'
  const text = routerConfiguration(record.task, {
    type,
    cluster: onFargate ? (record.task.taskClusterArn ?? cluster) : cluster,
    ...(instanceId !== undefined && !onFargate && { instanceId }),
    bridged: isBridged(record),
    ...(include !== undefined && { include }),
  })
  await writeFile(join(directory, 'config', 'fluent.conf'), text)
}

async function fetchConfiguration(
  { getObject, credentials }: FirelensOptions,
  record: TaskRecord,
  arn: string,
): Promise<string> {
  const refuse = (text: string): never => {
    throw new ResourceError(`unable to generate firelens config file: ${text}`, '')
  }
  const place = objectPlace(arn)
  if (!place) return refuse(`${arn} names no object of S3`)
  if (record.executionCredentialsId === undefined) return refuse('unable to find execution role credentials')
  try {
    return await getObject(place, await credentials.credentialsFor(record.task.arn, 'execution'))
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    return refuse(`unable to download s3 config ${place.key} from bucket ${place.bucket}: ${error.message}`)
  }
}

function contributions(record: TaskRecord, directory: string): Contributions {
  const { task } = record
  const router = routerOf(task)
  if (!router) return {}
  const place = places[routerType(record)]
  const external = router.firelensConfiguration?.options?.['config-file-type'] === 's3'
  const found: Record<string, Contribution> = {
    [router.name]: {
      binds: [
        `${directory}/config/fluent.conf:${place.own}`,
        ...(external ? [`${directory}/config/external.conf:${place.external}`] : []),
        `${directory}/socket/:/var/run/`,
      ],
    },
  }
  const taskId = task.arn.slice(task.arn.lastIndexOf('/') + 1)
  const host = isBridged(record) ? alias : task.networkMode === 'awsvpc' ? '127.0.0.1' : undefined
  for (const container of task.containers ?? []) {
    if (container.name === router.name || !isRouted(container)) continue
    found[container.name] = {
      logConfig: routedLogConfig(container, taskId, `${directory}/socket/fluent.sock`),
      ...(host !== undefined && { environment: { FLUENT_HOST: host, FLUENT_PORT: port } }),
      ...(isBridged(record) && { links: [`${containerRecord(record, router.name).dockerName}:${alias}`] }),
    }
  }
  return found
}
