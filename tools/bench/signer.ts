import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignatureV4 } from '@smithy/signature-v4'
import { requestBytes } from './connection.ts'

/** Signs what a bench sends, with the root key of a control plane's directory. A signature holds for five minutes. */
export class Signer {
  readonly #signature: SignatureV4
  readonly #host: string

  constructor(directory: string, port: number) {
    const file = readFileSync(join(directory, 'credentials'), 'utf8')
    const value = (name: string): string => new RegExp(`${name}=(\\S+)`).exec(file)?.[1] ?? ''
    this.#host = `127.0.0.1:${port}`
    this.#signature = new SignatureV4({
      service: 'ecs',
      region: 'us-east-1',
      credentials: {
        accessKeyId: value('aws_access_key_id'),
        secretAccessKey: value('aws_secret_access_key'),
      },
      sha256: Sha256,
    })
  }

  /** The bytes of a call of the ECS API. */
  async call(operation: string, input: object): Promise<Buffer> {
    const body = JSON.stringify(input)
    const headers = await this.#sign('POST', '/', body, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
    })
    return requestBytes(headers, body)
  }

  /** The headers that open a websocket. */
  upgrade(path: string, query: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    return this.#sign('GET', path, '', {}, query)
  }

  async #sign(
    method: string,
    path: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, string>> {
    const signed = await this.#signature.sign({
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query,
      headers: { host: this.#host, ...headers },
      body,
    })
    return signed.headers
  }
}

/** What the signer asks of a hash. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array)
  }
  update(data: Uint8Array): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}
