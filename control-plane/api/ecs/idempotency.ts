import { hash } from 'node:crypto'
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
  /** What an operation that has no ConflictException says of another request with the token: InvalidParameterException. */
  readonly mismatch?: string
}

/**
 * What is remembered of the request; undefined when it is new, or when what the first one made no longer stands. Throws ConflictException, with what the first request
 * made, when the token came with other parameters.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
 */
export function recall(
  tx: Transaction,
  request: TokenRequest,
  now: number,
  isStanding: (known: Idempotency) => boolean = () => true,
): Idempotency | undefined {
  const known = tx.find('idempotency', keyOf(request))
  if (!known || known.expiresAt <= now || !isStanding(known)) return undefined
  if (known.fingerprint !== fingerprintOf(request.parameters)) {
    if (request.mismatch !== undefined) throw new AwsError('InvalidParameterException', request.mismatch)
    throw new AwsError(
      'ConflictException',
      'The request could not be processed due to conflicts. The provided clientToken is already in use with a different request. The resourceIds are the existing ARNs that are already associated with the clientToken.',
      400,
      { resourceIds: known.resourceArns },
    )
  }
  return known
}

export function remember(
  tx: Transaction,
  request: TokenRequest,
  made: Omit<Idempotency, 'key' | 'fingerprint'>,
): void {
  tx.put('idempotency', { key: keyOf(request), fingerprint: fingerprintOf(request.parameters), ...made })
}

function keyOf({ scope, place, clientToken }: TokenRequest): string {
  return `${scopeKey(scope)} ${place} ${clientToken}`
}

/** The same for the same parameters in whatever order they come. */
export function fingerprintOf(parameters: object): string {
  return hash('sha256', canonical(parameters), 'base64url')
}

/** JSON with the members of objects in order. Requests carry nothing but JSON; a member that is undefined is none. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}
