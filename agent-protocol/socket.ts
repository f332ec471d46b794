/**
 * A connection that carries text messages in order: a websocket, or the simulator's. Handlers are set by the owner
 * before anything is received; `onClose` is called once, for either side's close and for a lost connection (1006).
 */
export interface MessageSocket {
  send(text: string): void
  close(code: number, reason: string): void
  onMessage: (text: string) => void
  onClose: (code: number, reason: string) => void
}
