import { hash } from 'node:crypto'
import { request } from 'node:http'
import { createServer, isIP, type Server, type Socket } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type Credentials, sign } from '@berth/agent/adapters/sign.ts'

/** A control plane on another machine, and the key it must show. */
export interface Remote {
  /** `https://10.0.0.5:4566` */
  readonly url: string
  /** SHA-256 of its public key (SPKI), base64url. */
  readonly pin: string
}

const connectWithinMs = 10_000

/** What answers has another key than the one that the token names. */
export class PinMismatch extends Error {}

/** An answer that is an error of the control plane. */
export class Refusal extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

/**
 * A TLS connection to the control plane, known by its key alone: neither who signed its certificate, nor the name in it,
 * nor its dates count, so that it may be renewed, and clocks may differ. Nothing is sent before the key is seen.
 * Rejects with PinMismatch or the error of the connection.
 */
export function connectPinned({ url, pin }: Remote, near?: Socket): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      host,
      port: Number(port) || 443,
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      allowHalfOpen: true,
      timeout: connectWithinMs,
    }
    const socket = connect(options)
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    const onGone = (): void => fail(new Error('the client went away'))
    near?.once('close', onGone)
    socket.once('timeout', () => fail(new Error(`${url} does not answer within ${connectWithinMs / 1000} s`)))
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      const shown = keyPin(socket)
      if (shown !== pin)
        return fail(
          new PinMismatch(
            `what answers at ${url} has the key ${shown}, and the token names ${pin}: the token is of another control plane, or something is in between`,
          ),
        )
      socket.setTimeout(0)
      socket.off('error', fail)
      near?.off('close', onGone)
      resolve(socket)
    })
  })
}

function keyPin(socket: TLSSocket): string {
  const der = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
  return der ? Buffer.from(hash('sha256', der, 'buffer')).toString('base64url') : 'none'
}

/**
 * Hands every connection on to the control plane over TLS, byte for byte: what is at its port on its own machine is then
 * here too. `report` hears why connections fail, each reason once until one succeeds.
 */
export function tunnel(remote: Remote, report: (problem: string | undefined) => void): Server {
  let reported: string | undefined
  const tell = (problem: string | undefined): void => {
    if (problem !== reported) report(problem)
    reported = problem
  }
  return createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    near.on('error', () => near.destroy())
    connectPinned(remote, near).then(
      (far) => {
        tell(undefined)
        far.on('error', () => near.destroy())
        near.on('error', () => far.destroy())
        far.on('close', () => near.destroy())
        near.on('close', () => far.destroy())
        near.pipe(far)
        far.pipe(near)
      },
      (error: unknown) => {
        if (!near.destroyed) tell(error instanceof Error ? error.message : String(error))
        near.destroy()
      },
    )
  })
}

/** Posts JSON to the control plane; signed where there are credentials. Rejects with Refusal or the connection's error. */
export async function postPinned<Answer>(
  remote: Remote,
  path: string,
  message: object,
  signer?: { readonly credentials: Credentials; readonly region: string },
): Promise<Answer> {
  const url = new URL(path, remote.url)
  const body = JSON.stringify(message)
  const plain = { 'content-type': 'application/json' }
  const headers = signer
    ? sign({ method: 'POST', url, headers: plain, body }, signer.credentials, {
        region: signer.region,
        service: 'ecs',
        nowMs: Date.now(),
      })
    : { ...plain, host: url.host }
  const socket = await connectPinned(remote)
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(
      url.href.replace(/^https:/, 'http:'),
      {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' },
        createConnection: () => socket,
        timeout: 3 * connectWithinMs,
      },
      (response) => {
        let read = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (read += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: read }))
        response.on('error', reject)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${remote.url} does not answer`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  }).finally(() => socket.destroy())
  const answer = parsed(text)
  if (status === 200) return answer as Answer
  throw new Refusal(answer['__type']?.split('#').at(-1) ?? String(status), answer['message'] ?? text)
}

function parsed(text: string): Partial<Record<string, string>> {
  try {
    return JSON.parse(text) as Partial<Record<string, string>>
  } catch {
    return {}
  }
}
