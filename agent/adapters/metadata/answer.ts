import type { IncomingMessage } from 'node:http'

/** What is answered to a request; a string that is not `plain` goes out as a JSON string, as from the official agent. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly plain?: true
}

export interface Asked {
  readonly url: URL
  readonly request: IncomingMessage
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
export const failed = (status: number, text: string): Answer => ({ status, body: text })
const notFound: Answer = { status: 404, body: '404 page not found\n', plain: true }

/** One place an endpoint answers at: what the path must look like, and who answers with what it found there. */
export interface Route {
  readonly path: RegExp
  /** Any, where it is absent. */
  readonly methods?: readonly string[]
  readonly answer: (found: readonly string[], asked: Asked) => Answer | Promise<Answer>
}

/** What the first fitting route of a table answers. */
export async function route(routes: readonly Route[], asked: Asked): Promise<Answer> {
  const { pathname } = asked.url
  const fitting = routes.filter(({ path }) => path.test(pathname))
  const chosen = fitting.find(({ methods }) => methods?.includes(asked.request.method ?? '') ?? true)
  if (!chosen) return fitting.length > 0 ? { status: 405, body: '', plain: true } : notFound
  const [, ...found] = chosen.path.exec(pathname) ?? []
  return chosen.answer(found.map(decoded), asked)
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '')
  } catch {
    return text ?? ''
  }
}

/** The address a request came from, IPv4 ones in their usual form. */
export function sourceAddress({ request }: Asked): string {
  return (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
}

/** A time as Go writes it (RFC 3339 without trailing zeros in the fraction); `timeMs` is in milliseconds since the epoch. */
export function goTime(timeMs: number | undefined): string | undefined {
  if (timeMs === undefined) return undefined
  return new Date(timeMs).toISOString().replace(/\.?0+Z$/, 'Z')
}
