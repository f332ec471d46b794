import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { dataDirectory } from './data-directory.ts'

/** What a machine that joined knows: in DIR/join/host.json, for root only. */
export interface HostSettings {
  /** Of the control plane: `https://10.0.0.5:4566`. */
  readonly url: string
  readonly pin: string
  /** `mi-…` */
  readonly instanceId: string
  readonly accountId: string
  readonly region: string
  readonly cluster: string
  readonly tags: ReadonlyArray<{ readonly key: string; readonly value: string }>
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** `localhost:4566`: the host part of image references; that port leads to the control plane here. */
  readonly registryHost: string
  /** `unix:///var/run/docker.sock` */
  readonly dockerHost: string
}

/** Where a machine that joined keeps everything. */
export const hostDirectory = (data: string | undefined): string => join(dataDirectory(data), 'join')

/** Undefined when the machine has not joined. */
export function readSettings(directory: string): HostSettings | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'host.json'), 'utf8')) as HostSettings
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The agent's further settings are the user's, in a file that is made once. */
export function writeSettings(directory: string, settings: HostSettings): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const config = '# Settings of the ECS agent, NAME=value: ECS_INSTANCE_ATTRIBUTES, ECS_RESERVED_MEMORY, …\n'
  try {
    writeFileSync(agentConfigFile(directory), config, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const file = join(directory, 'host.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

export const agentConfigFile = (directory: string): string => join(directory, 'ecs.config')

/** What this machine shows with each token, so that it may ask again when it has not heard the answer. */
export function provideNonce(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'nonce')
  try {
    writeFileSync(file, randomBytes(16).toString('hex'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}

export const localPort = ({ registryHost }: Pick<HostSettings, 'registryHost'>): number =>
  Number(registryHost.split(':').at(-1))

/** The key that the machine signs with. */
export const signerOf = ({ accessKeyId, secretAccessKey, sessionToken, region }: HostSettings) => ({
  credentials: { accessKeyId, secretAccessKey, sessionToken },
  region,
})
