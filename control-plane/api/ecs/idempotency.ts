import { createHash } from 'node:crypto'
import { AwsError } from '@berth/wire/error.ts'
import { scopeKey, type Scope } from '#domain/arn.ts'
import type { Idempotency } from '#domain/identity.ts'
import type { Transaction } from '#state/store.ts'

/** A request that carries a token of its caller's choice, so that it takes effect once however often it is sent. */
export interface TokenRequest {
  readonly scope: Scope
  /** What the token is good for: the operation and where it takes place (RunTask: the cluster). */
  readonly place: string
  readonly clientToken: string
  /** All that must be equal for it to be the same request. */
  readonly parameters: object
}

/**
 * What is remembered of the request; undefined when it is new. Throws ConflictException, with what the first request
 * made, when the token came with other parameters.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
 */
export function recall(tx: Transaction, request: TokenRequest, now: number): Idempotency | undefined {
  const known = tx.find('idempotency', keyOf(request))
  if (!known || known.expiresAt <= now) return undefined
  if (known.fingerprint !== fingerprintOf(request.parameters))
    throw new AwsError(
      'ConflictException',
      'The request could not be processed due to conflicts. The provided clientToken is already in use with a different request. The resourceIds are the existing ARNs that are already associated with the clientToken.',
      400,
      { resourceIds: known.resourceArns },
    )
  return known
}

export function remember(
  tx: Transaction,
  request: TokenRequest,
  made: Pick<Idempotency, 'resourceArns' | 'failures' | 'expiresAt'>,
): void {
  tx.put('idempotency', { key: keyOf(request), fingerprint: fingerprintOf(request.parameters), ...made })
}

function keyOf({ scope, place, clientToken }: TokenRequest): string {
  return `${scopeKey(scope)} ${place} ${clientToken}`
}

/** The same for the same parameters in whatever order they come. */
function fingerprintOf(parameters: object): string {
  const ordered = JSON.stringify(parameters, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  )
  return createHash('sha256').update(ordered).digest('base64url')
}
