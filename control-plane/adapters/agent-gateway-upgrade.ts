import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Refusal, refusalBody, type RefusalType } from '@berth/agent-protocol/refusal.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import { AwsError } from '@berth/wire/error.ts'
import { SignatureError, type SignedRequest } from '@berth/wire/sigv4.ts'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Caller } from '#api/operation.ts'
import { parseArn } from '#domain/arn.ts'
import type { AgentGateway } from './agent-gateway.ts'

/** What an HTTP server's `upgrade` event brings. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface AgentUpgradeOptions {
  readonly gateway: Pick<AgentGateway, 'admit' | 'openAcs' | 'openTcs'>
  /** Who signed the upgrade; throws a SignatureError when its signature is not good. In `--dev` any is. */
  readonly authenticate: (request: SignedRequest) => Caller
  readonly report: (containerInstanceArn: string, problem: unknown) => void
}

/** Telemetry comes in messages of up to 1 MiB; nothing an agent says is larger. */
const messageBytesMax = 4 * 1024 * 1024
/** An agent that leaves so much unread is not reading any more. */
const unreadBytesMax = 16 * 1024 * 1024

const httpStatus: { readonly [T in RefusalType]: number } = {
  ServerException: 500,
  BadRequestException: 400,
  InvalidClusterException: 400,
  InvalidInstanceException: 400,
  AccessDeniedException: 403,
  InactiveInstanceException: 400,
}

/** The handlers of upgrades of `/acs/ws` and `/tcs/ws`. */
export function agentUpgrades(options: AgentUpgradeOptions): {
  readonly acs: UpgradeHandler
  readonly tcs: UpgradeHandler
} {
  // The official agent offers no compression, and our own messages are small.
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
  })
  const { gateway } = options
  const handler =
    (names: QueryNames, open: (query: URLSearchParams, socket: MessageSocket) => void): UpgradeHandler =>
    (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      const signed = signedRequest(request)
      const query = new URLSearchParams(signed.rawQuery)
      try {
        const refusal = refusalOf(options, signed, query, names)
        if (refusal) refuse(socket, refusal)
        else server.handleUpgrade(request, socket, head, (webSocket) => open(query, messageSocket(webSocket)))
      } catch (error) {
        options.report(query.get(names.containerInstanceArn) ?? '', error)
        refuse(socket, { type: 'ServerException', message: 'The control plane failed. Try again.' })
      }
    }
  return {
    acs: handler(acsNames, (query, socket) =>
      gateway.openAcs(
        {
          containerInstanceArn: query.get(acsNames.containerInstanceArn) ?? '',
          cluster: query.get(acsNames.cluster) ?? '',
          agentVersion: query.get('agentVersion') ?? '',
          agentHash: query.get('agentHash') ?? '',
          dockerVersion: query.get('dockerVersion') ?? '',
          protocolVersion: Number(query.get('protocolVersion') ?? 1) || 1,
          sendCredentials: query.get('sendCredentials') === 'true',
          executesCommands: query.get('executesCommands') === 'true',
        },
        socket,
      ),
    ),
    tcs: handler(tcsNames, (query, socket) =>
      gateway.openTcs(
        {
          containerInstanceArn: query.get(tcsNames.containerInstanceArn) ?? '',
          cluster: query.get(tcsNames.cluster) ?? '',
        },
        socket,
      ),
    ),
  }
}

/** The two endpoints name the same things differently. */
interface QueryNames {
  readonly containerInstanceArn: string
  readonly cluster: string
}
const acsNames: QueryNames = { containerInstanceArn: 'containerInstanceArn', cluster: 'clusterArn' }
const tcsNames: QueryNames = { containerInstanceArn: 'containerInstance', cluster: 'cluster' }

function signedRequest({ method = 'GET', url = '', headers }: IncomingMessage): SignedRequest {
  const [path = '', ...query] = url.split('?')
  return { method, path, rawQuery: query.join('?'), headers, body: new Uint8Array() }
}

function refusalOf(
  { gateway, authenticate }: AgentUpgradeOptions,
  request: SignedRequest,
  query: URLSearchParams,
  names: QueryNames,
): Refusal | undefined {
  const containerInstanceArn = query.get(names.containerInstanceArn)
  if (!containerInstanceArn)
    return { type: 'BadRequestException', message: `The query has no ${names.containerInstanceArn}.` }
  let caller: Caller
  try {
    caller = authenticate(request)
  } catch (error) {
    if (!(error instanceof SignatureError || error instanceof AwsError)) throw error
    return { type: 'AccessDeniedException', message: error.message }
  }
  if (parseArn(containerInstanceArn)?.accountId !== caller.accountId)
    return {
      type: 'AccessDeniedException',
      message: `${caller.arn} may not speak for the container instance ${containerInstanceArn}.`,
    }
  return gateway.admit({ containerInstanceArn, cluster: query.get(names.cluster) ?? '' })
}

/** Agents read the reason from the body; the status is for people. */
function refuse(socket: Duplex, refusal: Refusal): void {
  if (socket.destroyed) return
  const body = refusalBody(refusal)
  const status = httpStatus[refusal.type]
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function messageSocket(webSocket: WebSocket): MessageSocket {
  const socket: MessageSocket = {
    send: (text) => {
      if (webSocket.bufferedAmount > unreadBytesMax) webSocket.terminate()
      else webSocket.send(text)
    },
    close: (code, reason) => webSocket.close(code, reason),
    onMessage: () => undefined,
    onClose: () => undefined,
  }
  webSocket.on('message', (data: Buffer) => socket.onMessage(data.toString('utf8')))
  webSocket.on('close', (code, reason) => socket.onClose(code, reason.toString('utf8')))
  // The close that follows says all there is to say.
  webSocket.on('error', () => undefined)
  return socket
}
