import type { IncomingMessage } from 'node:http'
import WebSocket from 'ws'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Connect } from '#runtime/ports.ts'
import type { CredentialSource } from './credentials.ts'
import { text } from './http.ts'
import { sign } from './sign.ts'

const handshakeMs = 30_000

export interface WebsocketOptions {
  readonly region: string
  readonly credentials: CredentialSource
  /** False: the server's certificate is not checked. */
  readonly verifyTls: boolean
}

/** Websockets whose upgrade is signed, which the built-in client cannot do: it takes no headers. */
export function connectSigned(options: WebsocketOptions): Connect {
  return async (address, query) => await opened(await dialSigned(options, address, query))
}

/** A websocket whose signed upgrade is under way. */
export async function dialSigned(
  { region, credentials, verifyTls }: WebsocketOptions,
  address: string,
  query: Readonly<Record<string, string>>,
): Promise<WebSocket> {
  const url = new URL(address)
  url.search = new URLSearchParams(Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1))).toString()
  const { host: _own, ...headers } = sign(
    { method: 'GET', url, headers: {}, body: '' },
    await credentials(),
    { region, service: 'ecs', nowMs: Date.now() },
  )
  return new WebSocket(url, {
    headers,
    perMessageDeflate: false,
    handshakeTimeout: handshakeMs,
    rejectUnauthorized: verifyTls,
  })
}

function opened(socket: WebSocket): Promise<MessageSocket> {
  const messages: MessageSocket = {
    send: (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame)
    },
    close: (code, reason) => socket.close(code, reason),
    onMessage: () => undefined,
    onClose: () => undefined,
  }
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
      text(response)
        .then((body) => reject(new Error(`upgrade refused (${response.statusCode}): ${body.slice(0, 500)}`)))
        .catch(reject)
        .finally(() => socket.terminate())
    })
    socket.on('error', reject)
    socket.on('open', () => {
      // Messages may follow in the same packet: nothing is read until the owner has set its handlers.
      socket.pause()
      resolve(messages)
      setImmediate(() => socket.resume())
    })
    socket.on('message', (data: Buffer) => messages.onMessage(data.toString('utf8')))
    socket.on('close', (code: number, reason: Buffer) => messages.onClose(code, reason.toString('utf8')))
  })
}
