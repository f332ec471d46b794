/**
 * One end of a data channel: numbers what it sends, sends it again until it is acknowledged, and hands on what it
 * receives in order and once. The figures are those of session-manager-plugin and its peer.
 */
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { type AcknowledgeContent, type ChannelClosed, jsonObject } from './ssm-contents.ts'
import {
  decodeSsmMessage,
  encodeSsmMessage,
  messageFlag,
  type SsmMessage,
  type SsmMessageType,
} from './ssm-message.ts'

/** The largest piece of output the official peer sends at once: clients may have no room for more. */
const payloadBytesMax = 1024
/** What may wait for acknowledgement before its owner should stop reading. */
const unacknowledgedMax = 256
/** Messages that came before their turn. */
const aheadMax = 10_000
const firstTimeoutMs = 200
const timeoutMsMax = 1000
const granularityMs = 10

export interface SsmChannelHost {
  readonly clock: Clock
  readonly ids: Ids
  /** Puts a frame on the way; one that is lost is sent again. */
  readonly transmit: (frame: Buffer) => void
  /** A payload in its turn. False: it cannot be taken now; it is not acknowledged, and offered again by `flush`. */
  readonly receive: (payloadType: number, payload: Buffer) => boolean
  /** There is room again after `send` said that there was none. */
  readonly drained?: () => void
  readonly closed?: (closed: Partial<ChannelClosed>) => void
}

interface Sent {
  readonly frame: Buffer
  sentAt: number
  again: boolean
}

export class SsmChannel {
  readonly #role: 'agent' | 'client'
  readonly #host: SsmChannelHost
  /** By what a peer says; the rest is not for this end. */
  readonly #handlers: Partial<Readonly<Record<SsmMessageType, (message: SsmMessage) => void>>>
  /** By sequence number, oldest first. */
  readonly #unacknowledged = new Map<number, Sent>()
  /** Received and not handed on: before its turn, and so acknowledged, or refused by its owner, and so not yet. */
  readonly #ahead = new Map<number, { readonly message: SsmMessage; readonly isAcknowledged: boolean }>()
  #next = 0
  #expected = 0
  #full = false
  #paused = false
  #open = true
  #roundTripMs = 100
  #variationMs = 0
  #timeoutMs = firstTimeoutMs
  #cancelResend: (() => void) | undefined
  #onIdle: Array<() => void> = []

  constructor(role: 'agent' | 'client', host: SsmChannelHost) {
    this.#role = role
    this.#host = host
    this.#handlers = {
      [role === 'agent' ? 'input_stream_data' : 'output_stream_data']: (message: SsmMessage) =>
        this.#stream(message),
      acknowledge: (message) => this.#acknowledged(message),
      pause_publication: () => this.pause(),
      start_publication: () => this.resume(),
      channel_closed: ({ payload }) => host.closed?.(jsonObject<ChannelClosed>(payload) ?? {}),
    }
  }

  /** Sends bytes as one kind of payload, in pieces. False: stop reading until `drained`. Nothing is sent of nothing. */
  send(kind: number, payload: Uint8Array): boolean {
    for (let begin = 0; begin < payload.length; begin += payloadBytesMax)
      this.#sendPiece(kind, Buffer.from(payload.subarray(begin, begin + payloadBytesMax)))
    this.#full = this.#unacknowledged.size >= unacknowledgedMax
    return !this.#full
  }

  /** Sends a JSON document whole, whatever its length. */
  sendJson(kind: number, value: object): void {
    this.#sendPiece(kind, Buffer.from(JSON.stringify(value)))
  }

  /** Takes a frame that arrived. What makes no sense is dropped: what matters comes again. */
  hear(frame: Buffer): void {
    if (!this.#open) return
    const message = decodeSsmMessage(frame)
    if (message) this.#handlers[message.messageType as SsmMessageType]?.(message)
  }

  /** Nobody is there to receive: nothing is sent, or sent again, until `resume`. */
  pause(): void {
    this.#paused = true
    this.#cancelResend?.()
    this.#cancelResend = undefined
  }

  /** Somebody is there again, and is told what may have been lost. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    for (const sent of this.#unacknowledged.values()) this.#transmit(sent)
    this.#armResend()
  }

  /** Calls back once all that was sent is acknowledged, which may be at once. */
  whenIdle(callback: () => void): void {
    if (this.#unacknowledged.size === 0) callback()
    else this.#onIdle.push(callback)
  }

  /** Forgets what is under way. */
  close(): void {
    this.#open = false
    this.pause()
    this.#onIdle = []
  }

  #sendPiece(kind: number, payload: Buffer): void {
    if (!this.#open) return
    const sequenceNumber = this.#next++
    const frame = this.#frame({
      messageType: this.#role === 'agent' ? 'output_stream_data' : 'input_stream_data',
      sequenceNumber,
      flags: sequenceNumber === 0 && this.#role === 'agent' ? messageFlag.syn : 0,
      payloadType: kind,
      payload,
    })
    const sent: Sent = { frame, sentAt: this.#host.clock.now(), again: false }
    this.#unacknowledged.set(sequenceNumber, sent)
    if (this.#paused) sent.again = true
    else this.#host.transmit(frame)
    this.#armResend()
  }

  #frame(
    message: Pick<SsmMessage, 'messageType' | 'sequenceNumber' | 'flags' | 'payloadType' | 'payload'>,
  ): Buffer {
    const { clock, ids } = this.#host
    return encodeSsmMessage({
      schemaVersion: 1,
      createdAt: clock.now(),
      messageId: ids.uuid(),
      ...message,
    })
  }

  #stream(message: SsmMessage): void {
    const { sequenceNumber } = message
    if (sequenceNumber < this.#expected) return this.#acknowledge(message)
    if (sequenceNumber > this.#expected) {
      if (this.#ahead.size >= aheadMax && !this.#ahead.has(sequenceNumber)) return
      // Acknowledged before it is handed on, as all peers do: it is kept from here on.
      this.#ahead.set(sequenceNumber, { message, isAcknowledged: true })
      return this.#acknowledge(message)
    }
    if (!this.#ahead.has(sequenceNumber)) this.#ahead.set(sequenceNumber, { message, isAcknowledged: false })
    this.flush()
  }

  /** Hands on what waited for its turn; the owner calls it when it can take more than it could before. */
  flush(): void {
    for (let next = this.#ahead.get(this.#expected); next; next = this.#ahead.get(this.#expected)) {
      const { message, isAcknowledged } = next
      if (!this.#open || !this.#host.receive(message.payloadType, message.payload)) return
      this.#ahead.delete(this.#expected++)
      if (!isAcknowledged) this.#acknowledge(message)
    }
  }

  #acknowledge({ messageType, messageId, sequenceNumber }: SsmMessage): void {
    const content: AcknowledgeContent = {
      AcknowledgedMessageType: messageType,
      AcknowledgedMessageId: messageId,
      AcknowledgedMessageSequenceNumber: sequenceNumber,
      IsSequentialMessage: true,
    }
    this.#host.transmit(
      this.#frame({
        messageType: 'acknowledge',
        sequenceNumber: 0,
        flags: messageFlag.syn | messageFlag.fin,
        payloadType: 0,
        payload: Buffer.from(JSON.stringify(content)),
      }),
    )
  }

  #acknowledged({ payload }: SsmMessage): void {
    const { AcknowledgedMessageSequenceNumber: number } = jsonObject<AcknowledgeContent>(payload) ?? {}
    const sent = number === undefined ? undefined : this.#unacknowledged.get(number)
    if (number === undefined || !sent) return
    this.#unacknowledged.delete(number)
    // Of what was sent twice nobody knows which one was acknowledged.
    if (!sent.again) this.#measure(this.#host.clock.now() - sent.sentAt)
    if (this.#full && this.#unacknowledged.size < unacknowledgedMax / 2) {
      this.#full = false
      this.#host.drained?.()
    }
    if (this.#unacknowledged.size > 0) return
    this.#cancelResend?.()
    this.#cancelResend = undefined
    for (const callback of this.#onIdle.splice(0)) callback()
  }

  /** The smoothed round trip and its variation, as TCP has them (RFC 6298). */
  #measure(roundTripMs: number): void {
    this.#variationMs = 0.75 * this.#variationMs + 0.25 * Math.abs(this.#roundTripMs - roundTripMs)
    this.#roundTripMs = 0.875 * this.#roundTripMs + 0.125 * roundTripMs
    this.#timeoutMs = Math.min(
      timeoutMsMax,
      Math.ceil(this.#roundTripMs + Math.max(granularityMs, 4 * this.#variationMs)),
    )
  }

  #transmit(sent: Sent): void {
    sent.again = true
    sent.sentAt = this.#host.clock.now()
    this.#host.transmit(sent.frame)
  }

  /** Only the oldest is sent again: what follows it is kept by a peer that has not seen it yet. */
  #armResend(): void {
    const [oldest] = this.#unacknowledged.values()
    if (!oldest || this.#cancelResend || this.#paused || !this.#open) return
    const wait = oldest.again ? Math.max(this.#timeoutMs, firstTimeoutMs) : this.#timeoutMs
    this.#cancelResend = this.#host.clock.at(oldest.sentAt + wait, () => {
      this.#cancelResend = undefined
      const [late] = this.#unacknowledged.values()
      if (late && this.#host.clock.now() - late.sentAt >= this.#timeoutMs) this.#transmit(late)
      this.#armResend()
    })
  }
}
