import type { InstanceMetadata } from './instance-metadata.ts'
import type { Credentials } from './sign.ts'

export type CredentialSource = () => Promise<Credentials>

/** Role credentials are fetched anew this long before they end. */
const renewMs = 5 * 60_000

/**
 * The host's own credentials: those of the environment, or of the role of its EC2 instance.
 * @throws when there are neither
 */
export function credentialSource(
  environment: Readonly<Record<string, string | undefined>>,
  metadata: InstanceMetadata | undefined,
  now: () => number,
): CredentialSource {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment
  const sessionToken = environment['AWS_SESSION_TOKEN']
  if (accessKeyId && secretAccessKey)
    return () => Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) })
  if (!metadata)
    throw new Error('no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment')
  let known: (Credentials & { readonly expiresAt: number }) | undefined
  let asking: Promise<Credentials> | undefined
  return () => {
    if (known && known.expiresAt - renewMs > now()) return Promise.resolve(known)
    asking ??= metadata
      .roleCredentials()
      .then((fresh) => (known = fresh))
      .catch((error: unknown) => {
        // The old ones may hold for some minutes yet.
        if (known) return known
        throw error
      })
      .finally(() => (asking = undefined))
    return asking
  }
}
