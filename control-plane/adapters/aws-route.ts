import type { IncomingMessage } from 'node:http'
import { bodyBytesMax } from '@berth/wire/body.ts'
import { AwsError } from '@berth/wire/error.ts'
import {
  type ServiceDescription,
  type ServiceName,
  serviceDescriptions,
  serviceNames,
} from '@berth/wire/model.ts'
import { readCredential } from '@berth/wire/sigv4.ts'

/** What a request asks for, before anybody looks into its parameters. */
export interface Route {
  readonly service: ServiceName
  /** Empty where the method and the path say it. */
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly rawQuery: string
  readonly headers: IncomingMessage['headers']
  /** The body without its content codings. */
  readonly body: Buffer
  /** The parameters of a Query request, of its query string and of its body; of a REST request, its query. */
  readonly form: URLSearchParams
}

const descriptions: ReadonlyArray<readonly [ServiceName, ServiceDescription]> = serviceNames.map((name) => [
  name,
  serviceDescriptions[name],
])
const byTarget = new Map(descriptions.map(([name, { target }]) => [target, name]))
const byVersion = new Map(descriptions.map(([name, { version }]) => [version, name]))
const noForm = new URLSearchParams()

/**
 * The service and operation of a request: by `X-Amz-Target`, else by the signature's scope, else by a form's Version. Of a
 * REST service, the operation is found in its model.
 * Throws an AwsError when no service of Berth is meant.
 */
export function routeRequest(request: IncomingMessage, decodeBody: () => Buffer): Route {
  const [path = '/', ...query] = (request.url ?? '/').split('?')
  const rawQuery = query.join('?')
  const body = decodeBody()
  const { method = 'POST', headers } = request
  const sent = { method, path, rawQuery, headers, body }
  const target = request.headers['x-amz-target']
  if (typeof target === 'string') {
    const [prefix, operation] = splitTarget(target)
    const service = byTarget.get(prefix)
    if (!service)
      throw new AwsError('UnknownOperationException', `Berth has no service with the target ${target}`)
    return { ...sent, service, operation, form: noForm }
  }
  const form = new URLSearchParams(rawQuery)
  if (/x-www-form-urlencoded/.test(request.headers['content-type'] ?? ''))
    for (const [name, value] of new URLSearchParams(body.toString())) form.append(name, value)
  const scope = scopeService(request, path, rawQuery)
  const service = serviceNames.find((name) => name === scope) ?? byVersion.get(form.get('Version') ?? '-')
  if (!service) throw unknownService(scope, form.get('Action'))
  return { ...sent, service, operation: form.get('Action') ?? '', form }
}

/** How large the body of a request may be, by the service it names first. */
export function bodyBytesMaxOf({ headers }: IncomingMessage): number {
  const service = byTarget.get(splitTarget(String(headers['x-amz-target'] ?? ''))[0])
  const description: ServiceDescription | undefined = service && serviceDescriptions[service]
  return description?.bodyBytesMax ?? bodyBytesMax
}

function splitTarget(target: string): [string, string] {
  const dot = target.lastIndexOf('.')
  return [target.slice(0, dot), target.slice(dot + 1)]
}

function scopeService({ headers }: IncomingMessage, path: string, rawQuery: string): string | undefined {
  try {
    return readCredential({ method: '', path, rawQuery, headers, body: new Uint8Array() }).service
  } catch {
    return undefined // An unsigned request may still say what it wants; authentication answers it.
  }
}

function unknownService(scope: string | undefined, action: string | null): AwsError {
  if (action !== null)
    return new AwsError('InvalidAction', `Berth has no service ${scope ?? ''} with an operation ${action}.`)
  return scope === undefined
    ? new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403)
    : new AwsError('UnknownOperationException', `Berth has no service ${scope}.`)
}
