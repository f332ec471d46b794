/** How other machines become container instances: the tokens they come with, and who they are from then on. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { JoinToken } from './identity.ts'

/** What a host of its own that is no EC2 instance acts in. Nobody need make it. */
export const externalRole = { roleName: 'ecsExternalInstanceRole', roleId: 'AROABERTHECSEXTNROLE1' } as const

/** Who an external instance is when it signs a request. */
export function externalPrincipal(
  accountId: string,
  instanceId: string,
): { readonly principalArn: string; readonly userId: string } {
  const { roleName, roleId } = externalRole
  return {
    principalArn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${instanceId}`,
    userId: `${roleId}:${instanceId}`,
  }
}

/** The `mi-…` of a principal that is an external instance; undefined of any other. */
export function externalInstanceIdOf(principalArn: string): string | undefined {
  return /:assumed-role\/ecsExternalInstanceRole\/(mi-[0-9a-f]{17})$/.exec(principalArn)?.[1]
}

/** What a token says, as it is typed on the machine that joins. */
export interface TokenParts {
  readonly tokenId: string
  readonly secret: string
  /** SHA-256 of the control plane's public key (SPKI), base64url: 43 letters. */
  readonly pin: string
}

export function formatToken({ tokenId, secret, pin }: TokenParts): string {
  return `bjt.${tokenId}.${secret}.${pin}`
}

/** Undefined when it is no token, or only a part of one. */
export function parseToken(text: string): TokenParts | undefined {
  const [, tokenId, secret, pin] =
    /^bjt\.([0-9a-f]{16})\.([0-9a-f]{40})\.([A-Za-z0-9_-]{43})$/.exec(text.trim()) ?? []
  return tokenId && secret && pin ? { tokenId, secret, pin } : undefined
}

export const secretHash = (secret: string): string => hash('sha256', secret)

/** One who knows the secret, by comparison that takes as long for any. */
export function knowsSecret(token: Pick<JoinToken, 'secretHash'>, secret: string): boolean {
  return timingSafeEqual(Buffer.from(secretHash(secret)), Buffer.from(token.secretHash))
}

/** Whether it lets in `nonceHash` at `now`: a host that has not heard the answer may ask again. */
export function judgeToken(
  { expiresAt, usesMax, uses }: JoinToken,
  nonceHash: string,
  now: number,
): { readonly instanceId: string | undefined } | 'expired' | 'used' {
  if (expiresAt <= now) return 'expired'
  const before = uses.find((use) => use.nonceHash === nonceHash)
  if (before) return { instanceId: before.instanceId }
  return uses.length >= usesMax ? 'used' : { instanceId: undefined }
}
