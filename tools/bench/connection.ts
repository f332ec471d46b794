import { type Socket, connect } from 'node:net'
import { once } from 'node:events'

interface Answer {
  readonly status: number
  readonly body: Buffer
}

const nothing = Buffer.alloc(0)

/**
 * One kept-alive HTTP/1.1 connection that sends ready-made bytes, one request at a time. It costs a fraction of
 * `node:http`, so that a bench on few cores measures the server and not its client.
 */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = nothing
  #waiting: { resolve: (answer: Answer) => void; reject: (reason: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')))
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd === -1) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const end = headEnd + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (this.#received.length < end) return
    const body = this.#received.subarray(headEnd + 4, end)
    this.#received = this.#received.subarray(end)
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }
}

/** The bytes of a POST to `/`. */
export function requestBytes(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`POST / HTTP/1.1\r\n${head}\r\n${body}`)
}
