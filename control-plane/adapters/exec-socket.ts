import type { Clock } from '@berth/std/clock.ts'
import { type RawData, WebSocket } from 'ws'
import type { DataSocket } from './exec-session.ts'

/** Messages of a data channel carry about a kilobyte; only documents of the handshake are longer. */
export const frameBytesMax = 128 * 1024
/** What may wait to be read by a slow peer before the other side is asked to pause. */
const unreadBytesMax = 256 * 1024
const pingMs = 30_000

/** A websocket that pauses its peer instead of filling the memory, and gives up one that does not answer pings. */
export function dataSocket(webSocket: WebSocket, clock: Clock): DataSocket {
  let isFull = false
  const socket: DataSocket = {
    send: (data) => {
      if (webSocket.readyState !== WebSocket.OPEN) return true
      webSocket.send(data, () => {
        if (!isFull || webSocket.bufferedAmount > unreadBytesMax / 2) return
        isFull = false
        socket.onDrain()
      })
      isFull ||= webSocket.bufferedAmount > unreadBytesMax
      return !isFull
    },
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close: (code, reason) => webSocket.close(code, reason),
    onMessage: () => undefined,
    onDrain: () => undefined,
    onClose: () => undefined,
  }
  let cancelPing = (): void => undefined
  let isAnswered = true
  const ping = (): void => {
    // One that is paused cannot be seen to answer.
    if (!isAnswered && !webSocket.isPaused) return webSocket.terminate()
    isAnswered = false
    if (webSocket.readyState === WebSocket.OPEN) webSocket.ping()
    cancelPing = clock.at(clock.now() + pingMs, ping)
  }
  cancelPing = clock.at(clock.now() + pingMs, ping)
  webSocket.on('pong', () => (isAnswered = true))
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    isAnswered = true
    socket.onMessage(data as Buffer, isBinary)
  })
  webSocket.on('close', () => {
    cancelPing()
    socket.onClose()
  })
  // The close that follows says all there is to say.
  webSocket.on('error', () => undefined)
  return socket
}
