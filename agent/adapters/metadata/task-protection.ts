/**
 * Task scale-in protection, asked of the control plane as the task's own role.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
import type { PayloadTask, RoleCredentials } from '@berth/agent-protocol/acs.ts'
import { ServiceError, type ShownProtection } from '#adapters/aws-api.ts'
import { type Answer, type Asked, ok, type Route } from './answer.ts'
import { byEndpointId, type MetadataSource } from './source.ts'

const path = /^\/api\/([^/]*)\/task-protection\/v1\/state$/
const bodyBytesMax = 64 * 1024
/** How long the control plane may take. */
const callMs = 4000

interface Wish {
  readonly protectionEnabled: boolean
  readonly expiresInMinutes?: number
}

export function taskProtectionRoutes(source: MetadataSource): readonly Route[] {
  return [
    { path, methods: ['GET'], answer: ([id = '']) => protect(source, id) },
    { path, methods: ['PUT'], answer: async ([id = ''], asked) => update(source, id, asked) },
  ]
}

async function update(source: MetadataSource, id: string, asked: Asked): Promise<Answer> {
  const wish = readWish(await bodyOf(asked))
  if (wish === 'unreadable')
    return refused(400, '', 'InvalidParameterException', 'UpdateTaskProtection: failed to decode request')
  return protect(source, id, wish)
}

async function protect(source: MetadataSource, id: string, wish?: Wish | 'without a wish'): Promise<Answer> {
  const found = byEndpointId(source, id)
  if (!found) return refused(404, '', 'ResourceNotFoundException', 'Failed to find a task for the request')
  const { arn } = found.record.task
  if (wish === 'without a wish')
    return refused(
      400,
      arn,
      'InvalidParameterException',
      "Invalid request: does not contain 'ProtectionEnabled' field",
    )
  const role = source.agent.credentials.held(arn, 'task')
  if (!role)
    return refused(
      403,
      arn,
      'AccessDeniedException',
      'Invalid Request: no task IAM role credentials available for task',
    )
  try {
    return shown(arn, await inTime(source, call(source, role, found.record.task, wish)))
  } catch (error) {
    return failure(arn, error)
  }
}

function call(
  { api, cluster }: MetadataSource,
  role: RoleCredentials,
  { arn, launchType, taskClusterArn = cluster }: PayloadTask,
  wish: Wish | undefined,
): Promise<ShownProtection> {
  // The cluster of a Fargate task is not that of its host.
  const asked = { cluster: launchType === 'FARGATE' ? taskClusterArn : cluster, tasks: [arn] }
  return wish ? api.updateTaskProtection(role, { ...asked, ...wish }) : api.getTaskProtection(role, asked)
}

class Late extends Error {}

async function inTime<T>({ clock }: MetadataSource, work: Promise<T>): Promise<T> {
  let cancel: () => void = () => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.at(clock.now() + callMs, () => reject(new Late()))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}

function shown(arn: string, { protectedTasks = [], failures = [] }: ShownProtection): Answer {
  const [failed] = failures
  if (failures.length > 1 || protectedTasks.length > 1)
    return refused(500, arn, 'ServerException', 'Unexpected error occurred')
  if (failed) return ok({ failure: { Arn: failed.arn, Detail: failed.detail, Reason: failed.reason } })
  const [task] = protectedTasks
  return ok({
    protection: {
      ExpirationDate:
        task?.expirationDate === undefined ? undefined : new Date(task.expirationDate * 1000).toISOString(),
      ProtectionEnabled: task?.protectionEnabled ?? false,
      TaskArn: task?.taskArn ?? arn,
    },
  })
}

function failure(arn: string, error: unknown): Answer {
  if (error instanceof Late)
    return refused(504, arn, 'RequestCanceled', 'Timed out calling ECS Task Protection API')
  if (error instanceof ServiceError)
    return refused(error.status, arn, error.name, error.message, error.requestId)
  return refused(500, arn, 'ServerException', error instanceof Error ? error.message : String(error))
}

function refused(status: number, Arn: string, Code: string, Message: string, requestID?: string): Answer {
  return { status, body: { requestID, error: { Arn: Arn || undefined, Code, Message } } }
}

/** Members are read whatever their case, as Go does; a strange one makes the whole request unreadable. */
function readWish(body: string): Wish | 'unreadable' | 'without a wish' {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return 'unreadable'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unreadable'
  let protectionEnabled: boolean | undefined
  let expiresInMinutes: number | undefined
  for (const [name, member] of Object.entries(value) as Array<[string, unknown]>) {
    if (member === null) continue
    const key = name.toLowerCase()
    if (key === 'protectionenabled' && typeof member === 'boolean') protectionEnabled = member
    else if (key === 'expiresinminutes' && Number.isInteger(member)) expiresInMinutes = member as number
    else return 'unreadable'
  }
  if (protectionEnabled === undefined) return 'without a wish'
  return { protectionEnabled, ...(expiresInMinutes !== undefined && { expiresInMinutes }) }
}

async function bodyOf({ request }: Asked): Promise<string> {
  let body = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    body += chunk as string
    if (body.length > bodyBytesMax) break
  }
  return body
}
