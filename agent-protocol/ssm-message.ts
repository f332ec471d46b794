/**
 * The binary messages of a data channel: what session-manager-plugin and the far end of a session say to each other over
 * a websocket, one message a binary frame. The layout is that of the plugin's own `ClientMessage`.
 */
import { createHash } from 'node:crypto'

export type SsmMessageType =
  | 'input_stream_data'
  | 'output_stream_data'
  | 'acknowledge'
  | 'channel_closed'
  | 'start_publication'
  | 'pause_publication'

/** What the payload of a stream message is. */
export const payloadType = {
  output: 1,
  error: 2,
  /** `{"cols":80,"rows":24}`. */
  size: 3,
  parameter: 4,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
  encryptionChallengeRequest: 8,
  encryptionChallengeResponse: 9,
  /** Four bytes, one of `payloadFlag`. */
  flag: 10,
  stdErr: 11,
  exitCode: 12,
} as const

export const payloadFlag = { disconnectToPort: 1, terminateSession: 2, connectToPortError: 3 } as const

/** The first message of a stream, and one that is its own last. */
export const messageFlag = { syn: 1, fin: 2 } as const

export interface SsmMessage {
  /** One of `SsmMessageType`, or what a newer peer says. */
  readonly messageType: string
  readonly schemaVersion: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly sequenceNumber: number
  readonly flags: number
  /** A UUID in its usual form. */
  readonly messageId: string
  readonly payloadType: number
  readonly payload: Buffer
}

/** Where each member begins. The header's length does not count the four bytes of the payload's length after it. */
const at = {
  headerLength: 0,
  messageType: 4,
  schemaVersion: 36,
  createdAt: 40,
  sequenceNumber: 48,
  flags: 56,
  messageId: 64,
  payloadDigest: 80,
  payloadType: 112,
  payloadLength: 116,
  payload: 120,
} as const
const typeLength = 32

const digest = (payload: Uint8Array): Buffer => createHash('sha256').update(payload).digest()

/** The frame of a message. A type longer than 32 bytes is a programmer's mistake and throws. */
export function encodeSsmMessage(message: SsmMessage): Buffer {
  const type = Buffer.from(message.messageType)
  if (type.length > typeLength) throw new RangeError(`message type ${message.messageType} is too long`)
  const frame = Buffer.alloc(at.payload + message.payload.length)
  frame.writeUInt32BE(at.payloadLength, at.headerLength)
  frame.fill(' ', at.messageType, at.schemaVersion)
  type.copy(frame, at.messageType)
  frame.writeUInt32BE(message.schemaVersion, at.schemaVersion)
  frame.writeBigUInt64BE(BigInt(message.createdAt), at.createdAt)
  frame.writeBigInt64BE(BigInt(message.sequenceNumber), at.sequenceNumber)
  frame.writeBigUInt64BE(BigInt(message.flags), at.flags)
  writeUuid(frame, message.messageId)
  digest(message.payload).copy(frame, at.payloadDigest)
  frame.writeUInt32BE(message.payloadType, at.payloadType)
  frame.writeUInt32BE(message.payload.length, at.payloadLength)
  message.payload.copy(frame, at.payload)
  return frame
}

/** Reads a frame; undefined when it is none, or its payload is not the one that was digested. Never throws. */
export function decodeSsmMessage(frame: Buffer): SsmMessage | undefined {
  if (frame.length < at.payload) return undefined
  const headerLength = frame.readUInt32BE(at.headerLength)
  const begin = headerLength + 4
  if (headerLength < at.payloadLength || begin > frame.length) return undefined
  const length = frame.readUInt32BE(headerLength)
  if (begin + length !== frame.length) return undefined
  const payload = frame.subarray(begin)
  if (length > 0 && !digest(payload).equals(frame.subarray(at.payloadDigest, at.payloadType)))
    return undefined
  return {
    // The plugin pads with spaces; the official agent's peers have been seen to pad with zeroes.
    messageType: frame.toString('utf8', at.messageType, at.schemaVersion).replaceAll('\0', ' ').trim(),
    schemaVersion: frame.readUInt32BE(at.schemaVersion),
    createdAt: Number(frame.readBigUInt64BE(at.createdAt)),
    sequenceNumber: Number(frame.readBigInt64BE(at.sequenceNumber)),
    flags: Number(frame.readBigUInt64BE(at.flags)),
    messageId: readUuid(frame),
    payloadType: frame.readUInt32BE(at.payloadType),
    payload,
  }
}

/** A UUID's second half comes first: it is written as two 64-bit numbers, the less significant before the other. */
function writeUuid(frame: Buffer, uuid: string): void {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  if (bytes.length !== 16) throw new RangeError(`${uuid} is no UUID`)
  bytes.copy(frame, at.messageId, 8, 16)
  bytes.copy(frame, at.messageId + 8, 0, 8)
}

function readUuid(frame: Buffer): string {
  const half = (offset: number): string =>
    frame.toString('hex', at.messageId + offset, at.messageId + offset + 8)
  const hex = half(8) + half(0)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
