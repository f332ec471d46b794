import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyBytesMax, decodeBody, readBody } from '@berth/wire/body.ts'
import { AwsError } from '@berth/wire/error.ts'
import { loadModel, serviceDescriptions } from '@berth/wire/model.ts'
import { type WireResponse, decodeInput, protocols } from '@berth/wire/protocol.ts'
import { signatureAwsError } from '@berth/wire/signature-error.ts'
import { SignatureError } from '@berth/wire/sigv4.ts'
import { explain, explainable, type ExplainRequest } from '#api/ecs/explain/explain.ts'
import { permissions } from '#api/ecs/permissions.ts'
import type { Context } from '#api/operation.ts'
import { authenticate } from './authenticate.ts'
import type { AwsEndpointOptions } from './aws-endpoint.ts'

type ExplainEndpointOptions = Omit<AwsEndpointOptions, 'services' | 'throttle' | 'observe'>

/**
 * Answers `POST /berth/explain`: what an ECS operation would do, and why. The request is signed as those of ECS are, and
 * whoever asks must be allowed what is asked about. In and out is JSON; the input is read as the operation's own is.
 */
export function createExplainEndpoint(
  options: ExplainEndpointOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const requestId = options.ids.uuid()
    answer(options, request, requestId)
      .catch((error: unknown) => protocols.json.encodeError(shown(options, error), undefined, requestId))
      .then(
        ({ status, headers, body }) => {
          // What was not read of a body that is too large stands in the way of the next request.
          const close = status === 413 && { connection: 'close' }
          response.writeHead(status, { ...headers, ...close, 'content-length': Buffer.byteLength(body) })
          response.end(body)
        },
        (error: unknown) => {
          response.destroy()
          options.onError(error, 'answering a request')
        },
      )
  }
}

function shown({ onError }: ExplainEndpointOptions, error: unknown): AwsError {
  if (error instanceof AwsError) return error
  if (error instanceof SignatureError) return signatureAwsError('json', error)
  onError(error, 'berth:Explain')
  return protocols.json.internalError
}

async function answer(
  options: ExplainEndpointOptions,
  request: IncomingMessage,
  requestId: string,
): Promise<WireResponse> {
  const { mode, onError: _, authorize, ...base } = options
  const sent = await readBody(request, bodyBytesMax)
  const { method = '', headers, url = '' } = request
  if (method !== 'POST') throw new AwsError('MethodNotAllowed', '/berth/explain takes POST only.', 405)
  const [path = '', ...query] = url.split('?')
  const rawQuery = query.join('?')
  const signed = { method, path, rawQuery, headers, body: sent }
  const { caller, credential } = authenticate(signed, base.store, mode, base.clock.now())
  if (!mode.dev && credential.service !== 'ecs')
    throw new SignatureError('mismatch', `Credential should be scoped to correct service: 'ecs'. `)
  const asked = await readRequest(decodeBody(sent, headers, bodyBytesMax), { method, path, headers })
  const scope = { accountId: caller.accountId, region: credential.region }
  const context: Context = { ...base, caller, scope, requestId }
  const { resources } = explainable[asked.operation]
  const { conditions, further } = permissions[asked.operation]
  authorize?.({
    caller,
    service: 'ecs',
    region: scope.region,
    action: `ecs:${asked.operation}`,
    resources: resources(context, asked.input as never),
    conditions: () => conditions(context, asked.input as never),
    further: () => further(context, asked.input as never),
  })
  const explanation = explain(context, asked)
  // Another's change that is not durable yet may be in it.
  await base.store.durable()
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
    body: `${JSON.stringify(explanation)}\n`,
  }
}

/** Reads `{"operation": "RunTask", "input": {…}}`. Throws what the operation would throw for such an input. */
async function readRequest(
  body: Buffer,
  { method, path, headers }: Pick<IncomingMessage, 'headers'> & { method: string; path: string },
): Promise<ExplainRequest> {
  const { operation, input } = parse(body)
  const names = Object.keys(explainable)
  if (typeof operation !== 'string' || !names.includes(operation))
    throw new AwsError('ValidationException', `operation should be one of [${names.join(',')}]`)
  const model = (await loadModel('ecs')).get(operation)
  if (!model) throw new Error(`assertion failed: the model has ${operation}`)
  const read = decodeInput('ecs', serviceDescriptions.ecs.protocol, model, {
    method,
    path,
    headers,
    form: new URLSearchParams(),
    body: Buffer.from(JSON.stringify(input ?? {})),
  })
  // The model read the input by the operation named.
  return { operation, input: read } as unknown as ExplainRequest
}

function parse(body: Buffer): { readonly operation?: unknown; readonly input?: unknown } {
  try {
    const read: unknown = JSON.parse(body.toString())
    if (typeof read === 'object' && read !== null) return read
  } catch {
    // told below
  }
  throw new AwsError('SerializationException', 'The body should be a JSON object.')
}
