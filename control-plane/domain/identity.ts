/** A key that signs requests, and whose it is. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly accountId: string
  /** `arn:aws:iam::…:root`, a user, or the assumed role of an instance. */
  readonly principalArn: string
  readonly userId: string
  readonly expiresAt?: number
  /** Of a user's key: whether it may sign, and since when there is one. Absent of keys that are nobody's to manage. */
  readonly status?: 'Active' | 'Inactive'
  readonly createdAt?: number
  readonly userName?: string
}

/** A random value this installation made for itself once, such as the key that signs registry tokens. */
export interface InstallationSecret {
  readonly name: string
  readonly value: string
}

/** What lets another machine join a cluster. The secret itself is only in the token that was printed. */
export interface JoinToken {
  readonly tokenId: string
  readonly secretHash: string
  readonly accountId: string
  readonly region: string
  /** The only cluster it is good for, by name; absent: the machine says which. */
  readonly clusterName?: string
  /** What the container instances are tagged with. */
  readonly tags: ReadonlyArray<{ readonly key: string; readonly value: string }>
  readonly expiresAt: number
  readonly usesMax: number
  /** Who came with it: the host's own random value, hashed, and what it became. */
  readonly uses: ReadonlyArray<{ readonly nonceHash: string; readonly instanceId: string }>
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
