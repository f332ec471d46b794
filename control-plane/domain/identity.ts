/** A key that signs requests, and whose it is. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly accountId: string
  /** `arn:aws:iam::…:root`, or the assumed role of an instance. */
  readonly principalArn: string
  readonly userId: string
  readonly expiresAt?: number
}

/** A random value this installation made for itself once, such as the key that signs registry tokens. */
export interface InstallationSecret {
  readonly name: string
  readonly value: string
}

/** Remembers a client token, so that a repeated request gets the same answer. */
export interface Idempotency {
  /** Scope, operation and token. */
  readonly key: string
  /** A digest of the request's parameters: another request with the same token is a conflict. */
  readonly fingerprint: string
  readonly resourceArns: readonly string[]
  /** What of the request failed, as its answer said (RunTask). */
  readonly failures?: ReadonlyArray<{
    readonly arn?: string
    readonly reason?: string
    readonly detail?: string
  }>
  readonly expiresAt: number
  /** Before it expires it is looked at again, and forgotten when nothing of what it made is left. */
  readonly reviewAt?: number
}
