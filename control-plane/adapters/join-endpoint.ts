import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyBytesMax, readBody } from '@berth/wire/body.ts'
import { AwsError } from '@berth/wire/error.ts'
import { protocols } from '@berth/wire/protocol.ts'
import { signatureAwsError } from '@berth/wire/signature-error.ts'
import { SignatureError } from '@berth/wire/sigv4.ts'
import {
  createJoinToken,
  describeHost,
  joinHost,
  leaveHost,
  type JoinTokenInput,
  type LeaveMode,
} from '#api/ecs/instances/external-host.ts'
import type { Context } from '#api/operation.ts'
import { externalRole, formatToken, parseToken } from '#domain/join.ts'
import { take, type RateLimit, type TokenBucket } from '#domain/token-bucket.ts'
import { authenticate } from './authenticate.ts'
import type { AwsEndpointOptions } from './aws-endpoint.ts'

interface JoinEndpointOptions extends Omit<AwsEndpointOptions, 'services' | 'throttle' | 'observe'> {
  /** Where other machines reach this control plane, and its key's pin; undefined: it listens on loopback only. */
  readonly remote: () => { readonly url: string; readonly pin: string } | undefined
}

/** Of wrong tokens from one address: nobody types faster, and no secret is found by trying. */
const wrongTokens: RateLimit = { burst: 10, perSecond: 1 }
const addressesMax = 10_000

/**
 * Answers what `berth token create`, `berth join` and `berth leave` ask, as JSON: `POST /berth/join-token` by whoever may
 * create activations, `/berth/join` by whoever has a token, `/berth/host` and `/berth/leave` by a host that joined. All
 * but the second are signed, as requests of ECS are.
 */
export function createJoinEndpoint(
  options: JoinEndpointOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const doors = doorsOf(options)
  return (request, response) => {
    const requestId = options.ids.uuid()
    answer(options, doors, request, requestId)
      .then((output) => ({
        status: 200,
        headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
        body: `${JSON.stringify(output)}\n`,
      }))
      .catch((error: unknown) => protocols.json.encodeError(shown(options, error), undefined, requestId))
      .then(({ status, headers, body }) => {
        const close = status === 413 && { connection: 'close' }
        response.writeHead(status, { ...headers, ...close, 'content-length': Buffer.byteLength(body) })
        response.end(body)
      })
      .catch((error: unknown) => {
        response.destroy()
        options.onError(error, 'answering a request')
      })
  }
}

function shown({ onError }: JoinEndpointOptions, error: unknown): AwsError {
  if (error instanceof AwsError) return error
  if (error instanceof SignatureError) return signatureAwsError('json', error)
  onError(error, 'berth:Join')
  return protocols.json.internalError
}

type Door =
  | { readonly signed: true; readonly serve: (context: Context, input: Input) => object }
  | { readonly signed: false; readonly serve: (input: Input, address: string) => object }
type Input = Readonly<Record<string, unknown>>

function doorsOf(options: JoinEndpointOptions): Readonly<Record<string, Door>> {
  const wrong = new Map<string, TokenBucket>()
  return {
    '/berth/join-token': { signed: true, serve: (context, input) => makeToken(options, context, input) },
    '/berth/join': { signed: false, serve: (input, address) => join(options, wrong, input, address) },
    '/berth/host': {
      signed: true,
      serve: (context) => ({ ...describeHost(context), now: context.clock.now() }),
    },
    '/berth/leave': { signed: true, serve: (context, input) => leaveHost(context, leaveMode(input)) },
  }
}

async function answer(
  options: JoinEndpointOptions,
  doors: Readonly<Record<string, Door>>,
  request: IncomingMessage,
  requestId: string,
): Promise<object> {
  const { mode, onError: _, authorize: _asked, remote: _remote, ...base } = options
  const { method = '', headers, url = '' } = request
  const body = await readBody(request, bodyBytesMax)
  const [path = '', ...query] = url.split('?')
  const door = doors[path]
  if (!door) throw new AwsError('NotFound', `There is no ${path}.`, 404)
  if (method !== 'POST') throw new AwsError('MethodNotAllowed', `${path} takes POST only.`, 405)
  let output: object
  if (door.signed) {
    const signed = { method, path, rawQuery: query.join('?'), headers, body }
    const { caller, credential } = authenticate(signed, base.store, mode, base.clock.now())
    if (!mode.dev && credential.service !== 'ecs')
      throw new SignatureError('mismatch', `Credential should be scoped to correct service: 'ecs'. `)
    const scope = { accountId: caller.accountId, region: credential.region }
    output = door.serve({ ...base, caller, scope, requestId }, parse(body))
  } else {
    output = door.serve(parse(body), request.socket.remoteAddress ?? '')
  }
  await base.store.durable()
  return output
}

function makeToken({ remote, authorize }: JoinEndpointOptions, context: Context, input: Input): object {
  const { caller, scope } = context
  authorize?.({
    caller,
    service: 'ssm',
    region: scope.region,
    // AWS's own way to let machines in: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-anywhere-registration.html
    action: 'ssm:CreateActivation',
    resources: ['*'],
    further: () => [
      {
        action: 'iam:PassRole',
        resource: `arn:aws:iam::${scope.accountId}:role/${externalRole.roleName}`,
        conditions: { 'iam:PassedToService': 'ssm.amazonaws.com' },
      },
    ],
  })
  const reached = remote()
  if (!reached)
    throw new AwsError(
      'NotReachable',
      'This control plane listens on loopback only, where no other machine reaches it: start it with "berth up --listen ADDRESS", an address of this machine.',
    )
  const { cluster, expiresInMs, uses, tags } = input
  const asked = {
    ...(cluster !== undefined && { cluster: text(input, 'cluster') }),
    ...(expiresInMs !== undefined && { expiresInMs }),
    ...(uses !== undefined && { uses }),
    ...(tags !== undefined && { tags: tagsIn(tags) }),
  } as JoinTokenInput
  const { tokenId, secret, expiresAt } = createJoinToken(context, asked)
  return { url: reached.url, token: formatToken({ tokenId, secret, pin: reached.pin }), expiresAt }
}

function join(
  { store, clock, ids, installation }: JoinEndpointOptions,
  wrong: Map<string, TokenBucket>,
  input: Input,
  address: string,
): object {
  const now = clock.now()
  const left = take(wrongTokens, wrong.get(address), now)
  if (!left)
    throw new AwsError('TooManyRequests', 'Too many tokens were wrong: try again in a few seconds.', 429)
  const parts = parseToken(text(input, 'token'))
  const nonce = text(input, 'nonce')
  if (!/^[0-9a-f]{32,64}$/.test(nonce))
    throw new AwsError('ValidationException', 'nonce should be 32 to 64 hexadecimal digits.')
  try {
    if (!parts)
      throw new AwsError('InvalidJoinToken', 'This is no token, or not all of one: copy the whole line.', 403)
    const cluster = input['cluster'] === undefined ? {} : { cluster: text(input, 'cluster') }
    const host = joinHost({ store, clock, ids }, { ...parts, nonce, ...cluster })
    return { ...host, registryHost: installation.registryHost, now }
  } catch (error) {
    if (wrong.size >= addressesMax) wrong.clear()
    wrong.set(address, left)
    throw error
  }
}

function leaveMode({ mode = 'idle' }: Input): LeaveMode {
  const modes: readonly LeaveMode[] = ['idle', 'stop', 'abandon']
  const found = modes.find((one) => one === mode)
  if (!found) throw new AwsError('ValidationException', `mode should be one of [${modes.join(',')}]`)
  return found
}

function text(input: Input, name: string): string {
  const value = input[name]
  if (typeof value === 'string' && value !== '') return value
  throw new AwsError('ValidationException', `${name} should be a text.`)
}

function tagsIn(value: unknown): JoinTokenInput['tags'] {
  const isTag = (one: unknown): boolean => {
    const { key, value: said } = (one ?? {}) as { key?: unknown; value?: unknown }
    return typeof key === 'string' && typeof said === 'string'
  }
  if (Array.isArray(value) && value.every(isTag)) return value as NonNullable<JoinTokenInput['tags']>
  throw new AwsError('ValidationException', 'tags should be a list of {"key", "value"}.')
}

function parse(body: Buffer): Input {
  try {
    const read: unknown = JSON.parse(body.toString() || '{}')
    if (typeof read === 'object' && read !== null) return read as Input
  } catch {
    // told below
  }
  throw new AwsError('SerializationException', 'The body should be a JSON object.')
}
