import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Backoff } from '#engine/backoff.ts'
import { messageOf } from './agent-error.ts'
import type { Log } from './ports.ts'
import type { Timers } from './timers.ts'

export interface SessionOptions {
  readonly name: string
  readonly timers: Timers
  readonly fraction: () => number
  readonly log: Log
  readonly backoff: Backoff
  readonly connect: () => Promise<MessageSocket>
  /** Called once a connection; what it returns is called when the connection ends. */
  readonly onConnected: (socket: MessageSocket) => (() => void) | undefined
  readonly onMessage: (socket: MessageSocket, text: string) => void
  /** The control plane says this instance is no longer one. */
  readonly onInactive: () => void
}

/** A silent server is given up after this long, and up to as much again. */
const silenceMs = 60_000
const ageMs = 30 * 60_000
const ageJitterMs = 5 * 60_000
const inactiveMs = 3_600_000
/** A connection that held this long was a good one. */
const steadyMs = 60_000
/** Below this, a close is no reason to come back at once, or two that disagree would spin. */
const brieflyMs = 250
const cleanCodes: ReadonlySet<number> = new Set([1000, 1001, 1006, 1011])

/** Keeps one websocket to the control plane open until the agent ends: reconnects by the rules of the agent protocol. */
export async function keepSession(options: SessionOptions): Promise<void> {
  const { timers, backoff, log, name } = options
  while (!timers.ended) {
    let pauseMs: number
    try {
      const socket = await options.connect()
      const since = timers.now()
      const { code, reason } = await serve(options, socket)
      if (timers.ended) return
      log('info', `${name} session closed`, { code, reason })
      const lastedMs = timers.now() - since
      const atOnce = cleanCodes.has(code) && lastedMs >= brieflyMs
      if (atOnce || lastedMs >= steadyMs) backoff.reset()
      pauseMs = atOnce ? 0 : backoff.next()
    } catch (error) {
      if (timers.ended) return
      const inactive = messageOf(error).includes('InactiveInstanceException')
      log('warn', `no ${name} session`, { error: messageOf(error) })
      if (inactive) options.onInactive()
      pauseMs = inactive ? inactiveMs : backoff.next()
    }
    if (pauseMs > 0) await timers.sleep(pauseMs)
  }
}

/** Serves one connection to its end. */
function serve(
  { timers, fraction, onConnected, onMessage, log, name }: SessionOptions,
  socket: MessageSocket,
): Promise<{ readonly code: number; readonly reason: string }> {
  return new Promise((resolve) => {
    const silenceLimitMs = silenceMs * (1 + fraction())
    let cancelSilence: () => void = () => undefined
    const heard = (): void => {
      cancelSilence()
      cancelSilence = timers.after(silenceLimitMs, () => socket.close(1000, 'ConnectionInactive'))
    }
    const cancelAge = timers.after(ageMs + ageJitterMs * fraction(), () =>
      socket.close(1000, 'ConnectionExpired: Reconnect to continue'),
    )
    let onEnded: (() => void) | undefined
    socket.onMessage = (text) => {
      heard()
      try {
        onMessage(socket, text)
      } catch (error) {
        log('error', `${name} message not handled`, { error: messageOf(error) })
      }
    }
    socket.onClose = (code, reason) => {
      cancelSilence()
      cancelAge()
      onEnded?.()
      resolve({ code, reason })
    }
    heard()
    onEnded = onConnected(socket)
  })
}
