import type { RoleKind } from '#runtime/credentials.ts'
import { type Answer, type Asked, ok, type Route } from './answer.ts'
import type { MetadataSource } from './source.ts'

/** One use of the credentials endpoint, for the audit log; `kind` and `taskArn` are absent when nothing was given out. */
export interface CredentialsAudit {
  readonly asked: Asked
  readonly status: number
  readonly kind?: RoleKind
  readonly taskArn?: string
}

/**
 * The credentials of task roles and execution roles. Whoever knows the id gets them, as on ECS: the id stands in the
 * environment of the task's containers only.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
 */
export function credentialsRoutes(
  source: Pick<MetadataSource, 'agent'>,
  audit: (entry: CredentialsAudit) => void,
): readonly Route[] {
  const answer = (version: 1 | 2, id: string, asked: Asked): Answer => {
    const given = answerCredentials(source, version, id)
    const held = given.status === 200 ? source.agent.credentials.find(id) : undefined
    audit({ asked, status: given.status, ...(held && { kind: held.kind, taskArn: held.taskArn }) })
    return given
  }
  return [
    { path: /^\/v2\/credentials\/(.*)$/, answer: ([id = ''], asked) => answer(2, id, asked) },
    {
      path: /^\/v1\/credentials$/,
      answer: (_, asked) => answer(1, asked.url.searchParams.get('id') ?? '', asked),
    },
  ]
}

function answerCredentials({ agent }: Pick<MetadataSource, 'agent'>, version: 1 | 2, id: string): Answer {
  const failure = (status: number, code: string, text: string): Answer => ({
    status,
    body: { code, message: `CredentialsV${version}Request: ${text}`, HTTPErrorCode: status },
  })
  if (id === '') return failure(400, 'NoIdInRequest', 'No Credential ID in the request')
  const held = agent.credentials.find(id)
  if (!held) {
    const awaited = agent
      .records()
      .some((record) => record.credentialsId === id || record.executionCredentialsId === id)
    return awaited
      ? failure(503, 'CredentialsUninitialized', 'Credentials uninitialized for ID')
      : failure(400, 'InvalidIdInRequest', 'Credentials not found')
  }
  const { roleArn, accessKeyId, secretAccessKey, sessionToken, expiration } = held.credentials
  return ok({
    RoleArn: roleArn ?? '',
    AccessKeyId: accessKeyId ?? '',
    SecretAccessKey: secretAccessKey ?? '',
    Token: sessionToken ?? '',
    Expiration: expiration ?? '',
  })
}
