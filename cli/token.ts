import { post, type EndpointOptions } from './endpoint.ts'
import { Failure } from './failure.ts'

export interface TokenFlags extends EndpointOptions {
  readonly cluster?: string
  readonly expires: string
  readonly uses: number
  readonly tags?: readonly string[]
}

/** Prints the line to type on the machine that is to join; when the token ends goes to the standard error. */
export async function createToken(flags: TokenFlags): Promise<void> {
  const answer = (await post(flags, '/berth/join-token', {
    ...(flags.cluster !== undefined && { cluster: flags.cluster }),
    expiresInMs: parseDuration(flags.expires),
    uses: flags.uses,
    tags: (flags.tags ?? []).map(parseTag),
  })) as { readonly url: string; readonly token: string; readonly expiresAt: number }
  console.log(`berth join ${answer.url} --token ${answer.token}`)
  const machines = flags.uses === 1 ? 'one machine' : `${flags.uses} machines`
  console.error(`good for ${machines}, as root, until ${new Date(answer.expiresAt).toISOString()}`)
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `30m`, `1h`, `7d` in ms. Throws Failure. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs === undefined)
    throw new Failure(`--expires takes a duration such as 30m, 1h or 7d, not "${text}"`)
  return Number(count) * unitMs
}

/** Throws Failure. */
export function parseTag(text: string): { readonly key: string; readonly value: string } {
  const [, key, value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? []
  if (key === undefined) throw new Failure(`--tags takes key=value, not "${text}"`)
  return { key, value }
}
