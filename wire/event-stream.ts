/** The frames in which an operation answers one event after the other: https://smithy.io/2.0/aws/amazon-eventstream.html */
import { crc32 } from 'node:zlib'
import { AwsError } from './error.ts'
import { encodeJson } from './json.ts'
import type { OperationModel } from './model.ts'

/** An output whose events come while it is being answered. */
export interface EventStream {
  readonly contentType: string
  readonly frames: AsyncIterable<Uint8Array>
}

/**
 * The frames of an output with a member that is an event stream; undefined of all other outputs. An AwsError that its
 * events throw is told in a frame too, the last.
 */
export function eventStreamOf(operation: OperationModel, output: object): EventStream | undefined {
  const member = operation.outputSchema.isStructSchema() ? operation.outputSchema.getEventStreamMember() : ''
  if (member === '') return undefined
  const { [member]: events, ...rest } = output as Readonly<Record<string, unknown>>
  return {
    contentType: 'application/vnd.amazon.eventstream',
    frames: framesOf(operation, member, events as AsyncIterable<object>, rest),
  }
}

async function* framesOf(
  operation: OperationModel,
  member: string,
  events: AsyncIterable<object>,
  rest: object,
): AsyncGenerator<Uint8Array> {
  const shape = operation.output.members.get(member)?.shape
  yield frame('initial-response', encodeJson(operation.output, rest))
  try {
    for await (const event of events)
      for (const [name, value] of Object.entries(event)) {
        const inner = shape?.kind === 'struct' ? shape.members.get(name)?.shape : undefined
        if (inner) yield frame(name, encodeJson(inner, value as object))
      }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    yield frame(error.code, JSON.stringify({ message: error.message }), 'exception')
  }
}

const preludeBytes = 12
const checksumBytes = 4
/** The type of a header whose value is a text. */
const textType = 7

function frame(name: string, payload: string, kind: 'event' | 'exception' = 'event'): Uint8Array {
  const headers = Buffer.concat([
    header(`:${kind}-type`, name),
    header(':content-type', 'application/json'),
    header(':message-type', kind),
  ])
  const body = Buffer.from(payload)
  const bytes = Buffer.alloc(preludeBytes + headers.length + body.length + checksumBytes)
  bytes.writeUInt32BE(bytes.length, 0)
  bytes.writeUInt32BE(headers.length, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8)
  headers.copy(bytes, preludeBytes)
  body.copy(bytes, preludeBytes + headers.length)
  const end = bytes.length - checksumBytes
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end)
  return bytes
}

function header(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(1 + name.length + 3 + Buffer.byteLength(value))
  bytes.writeUInt8(name.length, 0)
  bytes.write(name, 1)
  bytes.writeUInt8(textType, 1 + name.length)
  bytes.writeUInt16BE(Buffer.byteLength(value), 2 + name.length)
  bytes.write(value, 4 + name.length)
  return bytes
}
