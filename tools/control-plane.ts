import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

export interface RunningControlPlane {
  readonly url: string
  readonly port: number
  readonly directory: string
  readonly process: ChildProcess
  /** From the start of the process to its `ready` line. */
  readonly readyMs: number
  /** Megabytes resident. */
  residentMB(): number
  stop(): Promise<void>
  /** Kills it as a power cut would; its directory stays. */
  crash(): Promise<void>
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

export interface StartOptions {
  readonly directory?: string
  readonly port?: number
  /** Words before the command, such as `unshare …`. */
  readonly prefix?: readonly string[]
  readonly environment?: NodeJS.ProcessEnv
}

/** Starts `berth up` as a user would, on a free port and a directory of its own where none are given. */
export async function startControlPlane(
  flags: readonly string[],
  options: StartOptions = {},
): Promise<RunningControlPlane> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'berth-run-'))
  const port = options.port ?? (await freePort())
  const { prefix = [], environment = process.env } = options
  const started = performance.now()
  const [command = '', ...words] = [
    ...prefix,
    resolve('berth'),
    'up',
    '--port',
    String(port),
    '--data',
    directory,
    ...flags,
  ]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'], env: environment })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const url = await new Promise<string>((ready, failed) => {
    createInterface({ input: child.stdout }).on(
      'line',
      (line) => line.startsWith('ready ') && ready(line.slice(6)),
    )
    child.once('exit', (code) => failed(new Error(`berth up ended with ${code}`)))
  })
  return {
    url,
    port,
    directory,
    process: child,
    readyMs: performance.now() - started,
    residentMB: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
    async crash() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
