import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { AwsError } from '@berth/wire/error.ts'
import { decodeBody, readBody } from '@berth/wire/body.ts'
import {
  type OperationModel,
  type ProtocolName,
  loadErrors,
  loadModel,
  serviceDescriptions,
} from '@berth/wire/model.ts'
import { type WireResponse, decodeInput, protocols } from '@berth/wire/protocol.ts'
import { findRestOperation } from '@berth/wire/rest.ts'
import { signatureAwsError } from '@berth/wire/signature-error.ts'
import { SignatureError } from '@berth/wire/sigv4.ts'
import { type Context, notImplementedError } from '#api/operation.ts'
import type { Services } from '#api/services.ts'
import type { Throttle } from '#api/throttle.ts'
import { type AccessMode, type Identity, authenticate } from './authenticate.ts'
import type { Authorize } from './authorize.ts'
import { type Route, bodyBytesMaxOf, routeRequest } from './aws-route.ts'
import type { RequestObservation } from './metrics.ts'
import { reachedAt } from './tls-listener.ts'

/** What an operation is handed of the whole installation; the rest of its Context is of one request. */
type BaseContext = Omit<Context, 'caller' | 'scope' | 'requestId' | 'reachedAt'>

export interface AwsEndpointOptions extends BaseContext {
  readonly mode: AccessMode
  /** Called with whatever was thrown that is not an error for the caller. */
  readonly onError: (error: unknown, during: string) => void
  /** Everybody may do everything when it is not given. */
  readonly authorize?: Authorize
  /** Requests are not counted when it is not given. */
  readonly throttle?: Throttle
  readonly observe?: (request: RequestObservation) => void
  readonly services: Services
}

interface Endpoint {
  readonly base: BaseContext
  readonly mode: AccessMode
  readonly authorize: Authorize
  readonly throttle: Throttle
  readonly services: Services
}

/** Answers requests of every AWS API on one address. */
export function createAwsEndpoint(
  options: AwsEndpointOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { mode, onError, observe, services, ...rest } = options
  const { authorize = () => undefined, throttle = () => undefined, ...base } = rest
  const endpoint: Endpoint = { base, mode, authorize, throttle, services }
  return (request, response) => {
    const startedMs = performance.now()
    const requestId = base.ids.uuid()
    answer(endpoint, request, requestId, onError).then(
      ({ route, operation, wire }) => {
        // The rest of a body that was too large was not read, so the connection cannot be used again.
        const headers = wire.status === 413 ? { ...wire.headers, connection: 'close' } : wire.headers
        if (wire.frames) {
          response.writeHead(wire.status, headers)
          // Ends when either side has had enough.
          pipeline(wire.frames, response).catch(() => response.destroy())
        } else {
          response.writeHead(wire.status, { ...headers, 'content-length': Buffer.byteLength(wire.body) })
          response.end(wire.body)
        }
        const durationMs = performance.now() - startedMs
        observe?.({ service: route?.service ?? 'unknown', operation, status: wire.status, durationMs })
      },
      (error: unknown) => {
        response.destroy()
        // A client that goes away halfway through its request is no fault of ours.
        if (!request.destroyed || request.complete) onError(error, 'answering a request')
      },
    )
  }
}

interface Answered {
  readonly route: Route | undefined
  /** `unknown` for names that are not in the model: a metric must not take names from strangers. */
  readonly operation: string
  readonly wire: WireResponse
}

async function answer(
  endpoint: Endpoint,
  request: IncomingMessage,
  requestId: string,
  onError: AwsEndpointOptions['onError'],
): Promise<Answered> {
  let route: Route | undefined
  let operation = 'unknown'
  try {
    const bytesMax = bodyBytesMaxOf(request)
    const sent = await readBody(request, bytesMax)
    route = routeRequest(request, () => decodeBody(sent, request.headers, bytesMax))
    const identity = identify(endpoint, request, route, sent)
    const model = await findOperation(route)
    operation = model.name
    const description = serviceDescriptions[route.service]
    const sourceIp = request.socket?.remoteAddress
    const who = { ...identity, sourceIp, reachedAt: reachedAt(request) }
    const output = await perform(endpoint, route, model, who, requestId)
    return {
      route,
      operation,
      wire: protocols[description.protocol].encode(model, output, description, requestId),
    }
  } catch (error) {
    if (!request.complete && request.destroyed) throw error
    const protocol = route ? serviceDescriptions[route.service].protocol : protocolOf(request)
    const shown = errorForCaller(error, protocol, (fault) =>
      onError(fault, `${route?.service ?? 'unknown'}:${operation}`),
    )
    const description = route && serviceDescriptions[route.service]
    const errors = protocol === 'restJson' && route ? await loadErrors(route.service) : undefined
    return { route, operation, wire: protocols[protocol].encodeError(shown, description, requestId, errors) }
  }
}

function errorForCaller(error: unknown, protocol: ProtocolName, report: (fault: unknown) => void): AwsError {
  if (error instanceof AwsError) return error
  if (error instanceof SignatureError) return signatureAwsError(protocol, error)
  report(error)
  return protocols[protocol].internalError
}

/** The protocol of a request whose service is not known, so that its client can read the error. */
function protocolOf({ headers }: IncomingMessage): 'json' | 'query' {
  return /x-www-form-urlencoded/.test(headers['content-type'] ?? '') ? 'query' : 'json'
}

function identify({ base, mode }: Endpoint, request: IncomingMessage, route: Route, body: Buffer): Identity {
  const { path, rawQuery } = route
  const { method = 'POST', headers } = request
  const identity = authenticate({ method, path, rawQuery, headers, body }, base.store, mode, base.clock.now())
  if (!mode.dev && identity.credential.service !== route.service)
    throw new SignatureError(
      'mismatch',
      `Credential should be scoped to correct service: '${route.service}'. `,
    )
  return identity
}

async function findOperation(route: Route): Promise<OperationModel> {
  const model = await loadModel(route.service)
  const description = serviceDescriptions[route.service]
  const operation =
    description.protocol === 'restJson'
      ? findRestOperation(model.values(), route)
      : model.get(route.operation)
  if (operation) return operation
  throw protocols[description.protocol].unknownOperation(route.operation, description)
}

async function perform(
  { base, authorize, throttle, services }: Endpoint,
  route: Route,
  operation: OperationModel,
  who: Identity & { readonly sourceIp: string | undefined; readonly reachedAt: string | undefined },
  requestId: string,
): Promise<object> {
  const { service } = route
  const { caller, credential, sourceIp, reachedAt: at } = who
  const { protocol } = serviceDescriptions[service]
  const scope = { accountId: caller.accountId, region: credential.region }
  throttle(scope, service, operation.name)
  const row = services[service][operation.name]
  if (!row || 'notImplemented' in row) throw notImplementedError(service, operation.name)
  const input = decodeInput(service, protocol, operation, route) as never
  const context = { ...base, caller, scope, requestId, ...(at !== undefined && { reachedAt: at }) }
  const { action = `${service}:${operation.name}`, conditions, further, granted } = row
  authorize({
    caller,
    service,
    region: scope.region,
    action,
    resources: row.resources(context, input),
    ...(conditions && { conditions: () => conditions(context, input) }),
    ...(further && { further: () => further(context, input) }),
    ...(granted && { granted: () => granted(context, input) }),
    ...(sourceIp !== undefined && { sourceIp: sourceIp.replace(/^::ffff:/, '') }),
  })
  const output = 'serve' in row ? await row.serve(context, input) : row.run(context, input)
  // Also what was only read must be durable before it is told: another's change may be in it.
  await base.store.durable()
  return output
}
