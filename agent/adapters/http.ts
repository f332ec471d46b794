import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { request as httpRequest } from '@berth/wire/node-http.ts'

export interface HttpRequest {
  readonly url: URL
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** The longest silence on the wire before the request is given up. */
  readonly silenceMs?: number
  /** Instead of the host and port of `url`. */
  readonly socketPath?: string
  readonly agent?: Agent
}

export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends a request and resolves with the response as soon as its headers are here; its body is still to be read. */
export function open(request: HttpRequest): Promise<IncomingMessage> {
  const { url, method = 'GET', headers = {}, body, silenceMs, socketPath, agent } = request
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = send(
      url,
      {
        method,
        headers: {
          ...headers,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        },
        ...(socketPath !== undefined && { socketPath }),
        ...(agent && { agent }),
        ...(silenceMs !== undefined && { timeout: silenceMs }),
      },
      resolve,
    )
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`no answer from ${url.host} for ${silenceMs} ms`)),
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The lines of a response as they come; rejects when the connection breaks. */
export async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    rest += chunk as string
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line.trim()) yield line
  }
  if (rest.trim()) yield rest
}

/** Sends a request and reads the whole response. */
export async function exchange(request: HttpRequest): Promise<HttpResponse> {
  const response = await open(request)
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

export async function text(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('utf8')
  for await (const chunk of response) body += chunk as string
  return body
}
