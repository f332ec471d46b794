/**
 * Stands in for session-manager-plugin, which no package registry has: takes the arguments that the AWS CLI gives it and
 * speaks the data channel as that program does, written from the description of its messages and from nothing else here.
 * What it does that a friendlier client would not: it leaves all output unacknowledged until its session handler is
 * ready, acknowledges nothing twice, prints payloads of every kind, and says that a terminal it does not have is 300 by
 * 100.
 */
import { createHash, randomUUID } from 'node:crypto'
import WebSocket from 'ws'

interface Message {
  readonly type: string
  readonly sequence: bigint
  readonly id: string
  readonly payloadType: number
  readonly payload: Buffer
}

/** How long the real program takes to set its session handler after the handshake, or more. */
const handlerMs = 150
const resendMs = 200

function put(type: string, sequence: bigint, flags: bigint, payloadType: number, payload: Buffer): Buffer {
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
  const number = (value: bigint, bytes: 4 | 8): Buffer => {
    const buffer = Buffer.alloc(bytes)
    if (bytes === 4) buffer.writeUInt32BE(Number(value))
    else buffer.writeBigInt64BE(value)
    return buffer
  }
  return Buffer.concat([
    number(116n, 4),
    Buffer.from(type.padEnd(32, ' ')),
    number(1n, 4),
    number(BigInt(Date.now()), 8),
    number(sequence, 8),
    number(flags, 8),
    id.subarray(8),
    id.subarray(0, 8),
    createHash('sha256').update(payload).digest(),
    number(BigInt(payloadType), 4),
    number(BigInt(payload.length), 4),
    payload,
  ])
}

function take(frame: Buffer): Message {
  const payload = frame.subarray(frame.readUInt32BE(0) + 4)
  const digest = createHash('sha256').update(payload).digest()
  if (payload.length > 0 && !digest.equals(frame.subarray(80, 112)))
    throw new Error('payload hash is not valid')
  if (frame.readBigUInt64BE(40) === 0n) throw new Error('CreatedDate is missing')
  const hex = Buffer.concat([frame.subarray(72, 80), frame.subarray(64, 72)]).toString('hex')
  return {
    type: frame.toString('utf8', 4, 36).replaceAll('\0', '').trim(),
    sequence: frame.readBigInt64BE(48),
    id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    payloadType: frame.readUInt32BE(112),
    payload,
  }
}

/** Talks over one session until it is closed; what the real program prints goes to `print`. */
class Plugin {
  readonly #socket: WebSocket
  readonly #sessionId: string
  readonly #ahead = new Map<bigint, Message>()
  #unacknowledged: Array<{ readonly sequence: bigint; readonly frame: Buffer }> = []
  #expected = 0n
  #sequence = 0n
  #ready = false

  constructor({ sessionId, streamUrl, tokenValue }: Readonly<Record<string, string>>) {
    this.#sessionId = sessionId ?? ''
    process.stdout.write(`\nStarting session with SessionId: ${this.#sessionId}\n`)
    this.#socket = new WebSocket(streamUrl ?? '')
    this.#socket.on('open', () =>
      this.#socket.send(
        JSON.stringify({
          MessageSchemaVersion: '1.0',
          RequestId: randomUUID(),
          TokenValue: tokenValue,
          ClientId: randomUUID(),
          ClientVersion: '1.2.0.0',
        }),
      ),
    )
    this.#socket.on('message', (frame: Buffer) => this.#hear(take(frame)))
    this.#socket.on('close', () => process.exit(9))
    this.#socket.on('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(8)
    })
    setInterval(() => {
      const [oldest] = this.#unacknowledged
      if (oldest) this.#socket.send(oldest.frame)
    }, resendMs)
  }

  #hear(message: Message): void {
    if (message.type === 'channel_closed') {
      const { Output: output } = JSON.parse(message.payload.toString()) as { readonly Output: string }
      const last = output
        ? `\n\nSessionId: ${this.#sessionId} : ${output}\n\n`
        : `\n\nExiting session with sessionId: ${this.#sessionId}.\n\n`
      process.stdout.write(last, () => process.exit(0))
    } else if (message.type === 'acknowledge') {
      const { AcknowledgedMessageSequenceNumber: sequence } = JSON.parse(message.payload.toString()) as {
        readonly AcknowledgedMessageSequenceNumber: number
      }
      this.#unacknowledged = this.#unacknowledged.filter((sent) => sent.sequence !== BigInt(sequence))
    } else if (message.type === 'output_stream_data') this.#stream(message)
  }

  #stream(message: Message): void {
    if (message.sequence > this.#expected) {
      this.#acknowledge(message)
      this.#ahead.set(message.sequence, message)
    } else if (message.sequence === this.#expected && this.#handle(message)) {
      this.#acknowledge(message)
      this.#expected++
      for (let next = this.#ahead.get(this.#expected); next; next = this.#ahead.get(this.#expected)) {
        this.#handle(next)
        this.#ahead.delete(this.#expected++)
      }
    }
  }

  #handle({ payloadType, payload }: Message): boolean {
    if (payloadType === 5) {
      const { RequestedClientActions: actions } = JSON.parse(payload.toString()) as {
        readonly RequestedClientActions: ReadonlyArray<{
          readonly ActionType: string
          readonly ActionParameters: { readonly SessionType: string }
        }>
      }
      const known = ['Standard_Stream', 'InteractiveCommands', 'NonInteractiveCommands']
      this.#send(
        6,
        Buffer.from(
          JSON.stringify({
            ClientVersion: '1.2.0.0',
            ProcessedClientActions: actions.map(({ ActionType, ActionParameters }) => ({
              ActionType,
              ActionStatus: known.includes(ActionParameters.SessionType) ? 1 : 2,
              ActionResult: null,
              Error: '',
            })),
            Errors: null,
          }),
        ),
      )
    } else if (payloadType === 7) setTimeout(() => this.#begin(), handlerMs)
    else if (this.#ready) process.stdout.write(payload)
    else return false
    return true
  }

  #begin(): void {
    this.#ready = true
    const { isTTY, columns, rows } = process.stdout
    const size = isTTY ? { cols: columns, rows } : { cols: 300, rows: 100 }
    this.#send(3, Buffer.from(JSON.stringify(size)))
    process.stdin.on('data', (bytes: Buffer) =>
      this.#send(1, bytes.equals(Buffer.from('\n')) ? Buffer.from('\r') : bytes),
    )
  }

  #send(payloadType: number, payload: Buffer): void {
    const sequence = this.#sequence++
    const frame = put('input_stream_data', sequence, 0n, payloadType, payload)
    this.#unacknowledged.push({ sequence, frame })
    this.#socket.send(frame)
  }

  #acknowledge({ type, id, sequence }: Message): void {
    const content = JSON.stringify({
      AcknowledgedMessageType: type,
      AcknowledgedMessageId: id,
      AcknowledgedMessageSequenceNumber: Number(sequence),
      IsSequentialMessage: true,
    })
    this.#socket.send(put('acknowledge', 0n, 3n, 0, Buffer.from(content)))
  }
}

const [, , response, , operation] = process.argv
if (response === undefined)
  process.stdout.write(
    '\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n',
  )
else if (operation === 'StartSession')
  // eslint-disable-next-line no-new
  new Plugin(JSON.parse(response) as Readonly<Record<string, string>>)
else process.stdout.write('Invalid Operation')
