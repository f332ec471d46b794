import { exchange } from './http.ts'
import type { Credentials } from './sign.ts'

const tokenSeconds = 21_600
const silenceMs = 5000

/** The EC2 instance metadata service, version 2. */
export class InstanceMetadata {
  readonly #endpoint: string
  #token: { readonly value: string; readonly until: number } | undefined

  constructor(endpoint = 'http://169.254.169.254') {
    this.#endpoint = endpoint.replace(/\/$/, '')
  }

  /** @throws when the service does not answer or knows no such path, except with 404: undefined */
  async get(path: string): Promise<string | undefined> {
    const token = await this.#authorize()
    const url = new URL(`${this.#endpoint}/latest/${path}`)
    const answer = await exchange({ url, headers: { 'x-aws-ec2-metadata-token': token }, silenceMs })
    if (answer.status === 404) return undefined
    if (answer.status !== 200)
      throw new Error(`the instance metadata service answered ${answer.status} to ${path}`)
    return answer.body
  }

  /** What the instance was launched with: its document and the signature over it. */
  async identity(): Promise<{ readonly document: string; readonly signature: string }> {
    const document = await this.get('dynamic/instance-identity/document')
    const signature = await this.get('dynamic/instance-identity/signature')
    return { document: document ?? '', signature: signature ?? '' }
  }

  async roleCredentials(): Promise<Credentials & { readonly expiresAt: number }> {
    const role = (await this.get('meta-data/iam/security-credentials/'))?.trim().split('\n')[0]
    if (!role) throw new Error('this EC2 instance has no role, so the agent has no credentials')
    const found = await this.get(`meta-data/iam/security-credentials/${role}`)
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(found ?? '{}') as Record<
      string,
      string
    >
    if (!AccessKeyId || !SecretAccessKey) throw new Error(`the credentials of role ${role} are incomplete`)
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(Token && { sessionToken: Token }),
      expiresAt: Date.parse(Expiration ?? '') || Date.now() + tokenSeconds * 1000,
    }
  }

  async #authorize(): Promise<string> {
    if (this.#token && this.#token.until > Date.now()) return this.#token.value
    const answer = await exchange({
      url: new URL(`${this.#endpoint}/latest/api/token`),
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(tokenSeconds) },
      silenceMs,
    })
    if (answer.status !== 200)
      throw new Error(`the instance metadata service gave no token (${answer.status})`)
    this.#token = { value: answer.body, until: Date.now() + (tokenSeconds - 60) * 1000 }
    return answer.body
  }
}
