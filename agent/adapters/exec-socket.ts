import WebSocket from 'ws'
import type { DataSocket, ExecPorts } from '#runtime/exec-ports.ts'
import { dialSigned, type WebsocketOptions } from './websocket.ts'

/** The agent's side of a data channel: a signed websocket that carries bytes. */
export function connectDataChannel(options: WebsocketOptions): ExecPorts['connect'] {
  return async (address, query) => {
    const webSocket = await dialSigned(options, address, query)
    const socket: DataSocket = {
      send: (data) => {
        if (webSocket.readyState === WebSocket.OPEN) webSocket.send(data)
      },
      close: (code, reason) => webSocket.close(code, reason),
      onMessage: () => undefined,
      onClose: () => undefined,
    }
    return await new Promise((resolve, reject) => {
      webSocket.on('error', reject)
      webSocket.on('open', () => resolve(socket))
      webSocket.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) socket.onMessage(data)
      })
      webSocket.on('close', () => socket.onClose())
    })
  }
}
