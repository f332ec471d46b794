import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type OpenDataChannelInput, jsonObject } from '@berth/agent-protocol/ssm-contents.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { SignatureError, type SignedRequest } from '@berth/wire/sigv4.ts'
import { WebSocketServer } from 'ws'
import type { DataPlanes } from '#api/data-planes.ts'
import type { Caller } from '#api/operation.ts'
import { parseArn } from '#domain/arn.ts'
import type { AgentGateway } from './agent-gateway.ts'
import type { UpgradeHandler } from './agent-gateway-upgrade.ts'
import { type DataSocket, ExecSession } from './exec-session.ts'
import { dataSocket, frameBytesMax } from './exec-socket.ts'

/** How long a session waits for its client, and a connection for its first frame. */
export const openMs = 60_000
const firstFrameMs = 10_000
/** A session costs two sockets; more than this nobody opens by hand. */
const sessionsMax = 1000

export interface ExecRelayOptions {
  readonly gateway: Pick<AgentGateway, 'commands'>
  /** The public address, `http://127.0.0.1:4566`: users reach the data channels there. */
  readonly url: string
  readonly clock: Clock
  readonly ids: Ids
  /** Who signed the upgrade; throws a SignatureError when its signature is not good. */
  readonly authenticate: (request: SignedRequest) => Caller
}

interface Held {
  readonly session: ExecSession
  readonly clientToken: string
  readonly agentToken: string
  readonly containerInstanceArn: string
  readonly taskArn: string
}

/**
 * The sessions of ECS Exec. They live in memory: what is open when the control plane ends, ends with it. A token opens
 * one session and nothing else.
 */
export class ExecRelay {
  readonly #options: ExecRelayOptions
  readonly #sessions = new Map<string, Held>()
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: frameBytesMax,
  })

  constructor(options: ExecRelayOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size
  }

  readonly commands: DataPlanes['commands'] = {
    openSession: ({ containerInstanceArn, ...command }) => {
      const { gateway, clock, ids, url } = this.#options
      if (!gateway.commands(containerInstanceArn) || this.#sessions.size >= sessionsMax) return undefined
      const sessionId = `ecs-execute-command-${ids.hex(17)}`
      const [clientToken, agentToken] = [ids.hex(64), ids.hex(64)]
      const session = new ExecSession(sessionId, openMs, {
        clock,
        ids,
        callAgent: () =>
          gateway
            .commands(containerInstanceArn)
            ?.sendCommand({ ...command, sessionId, tokenValue: agentToken }) ?? false,
        ended: () => this.#sessions.delete(sessionId),
      })
      this.#sessions.set(sessionId, {
        session,
        clientToken,
        agentToken,
        containerInstanceArn,
        taskArn: command.taskArn,
      })
      const streamUrl = new URL(`/v1/data-channel/${sessionId}?role=publish_subscribe`, url)
      streamUrl.protocol = streamUrl.protocol === 'https:' ? 'wss:' : 'ws:'
      return { sessionId, streamUrl: streamUrl.href, tokenValue: clientToken }
    },
    /** A client that was cut off asks with its session for the token to come back with. */
    resumeSession: (accountId, sessionId) => this.#ofAccount(accountId, sessionId)?.clientToken,
    terminateSession: (accountId, sessionId) =>
      this.#ofAccount(accountId, sessionId)?.session.end({ output: '' }),
  }

  /** Upgrades of `/v1/data-channel/SESSION`: an agent's is signed, a client's shows its token in its first frame. */
  readonly upgrade: UpgradeHandler = (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const [path = '', rawQuery = ''] = (request.url ?? '').split('?')
    const held = this.#sessions.get(/^\/v1\/data-channel\/([\w-]+)$/.exec(path)?.[1] ?? '')
    if (!held) return refuse(socket, 404, 'Not Found')
    const isAgent = new URLSearchParams(rawQuery).get('role') === 'agent'
    if (isAgent && !this.#isSignedFor(held, request, path, rawQuery)) return refuse(socket, 403, 'Forbidden')
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#awaitToken(held, isAgent, dataSocket(webSocket, this.#options.clock)),
    )
  }

  /** Ends all sessions and says so to both sides. */
  close(): void {
    for (const { session } of this.#sessions.values())
      session.end({ output: 'The control plane is stopping.' })
  }

  #ofAccount(accountId: string, sessionId: string): Held | undefined {
    const held = this.#sessions.get(sessionId)
    return held && parseArn(held.taskArn)?.accountId === accountId ? held : undefined
  }

  #isSignedFor(
    held: Held,
    { method = 'GET', headers }: IncomingMessage,
    path: string,
    rawQuery: string,
  ): boolean {
    try {
      const caller = this.#options.authenticate({ method, path, rawQuery, headers, body: new Uint8Array() })
      return parseArn(held.containerInstanceArn)?.accountId === caller.accountId
    } catch (error) {
      if (error instanceof SignatureError) return false
      throw error
    }
  }

  #awaitToken(held: Held, isAgent: boolean, socket: DataSocket): void {
    const { clock } = this.#options
    const cancel = clock.at(clock.now() + firstFrameMs, () => socket.close(1008, 'no token was shown'))
    socket.onClose = cancel
    socket.onMessage = (data, isBinary) => {
      cancel()
      const { TokenValue: token } = (isBinary ? undefined : jsonObject<OpenDataChannelInput>(data)) ?? {}
      if (!isSame(token, isAgent ? held.agentToken : held.clientToken))
        return socket.close(1008, 'the token is not that of this session')
      if (isAgent) held.session.attachAgent(socket)
      else held.session.attachClient(socket)
    }
  }
}

/** Compared in a time that says nothing of where they differ. */
function isSame(given: unknown, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(token))
}

function refuse(socket: Duplex, status: number, reason: string): void {
  if (!socket.destroyed)
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
