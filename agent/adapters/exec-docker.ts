import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from '@berth/wire/node-http.ts'
import { RuntimeError } from '#runtime/container-runtime.ts'
import type { ExecProcess, ExecSpec } from '#runtime/exec-ports.ts'
import { exchange, text } from './http.ts'
import { frames } from './exec-frames.ts'

/** How long a command that was hung up on may take to go before it is killed. */
const hangUpMs = 2000
const exitLookMs = 50
const exitLooks = 40

interface Inspected {
  readonly Running: boolean
  readonly ExitCode: number | null
  readonly Pid: number
}

/**
 * Commands in containers, by the Docker Engine's exec: its connection becomes the command's input and output. `host` is
 * what DOCKER_HOST says. A command is ended by its process id, so Docker has to run on the agent's own machine.
 */
export class DockerExec {
  readonly #base: URL
  readonly #socketPath: string | undefined

  constructor(host: string) {
    this.#socketPath = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined
    this.#base = new URL(this.#socketPath === undefined ? host.replace(/^tcp:/, 'http:') : 'http://docker')
  }

  /** @throws RuntimeError when Docker does not begin it */
  readonly start = async (spec: ExecSpec): Promise<ExecProcess> => {
    const { Id: id } = (await this.#call('POST', `/containers/${spec.containerId}/exec`, {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: spec.terminal,
      Cmd: spec.command,
      Env: spec.environment,
      User: spec.user,
    })) as { readonly Id: string }
    const { socket, head } = await this.#attach(id, spec.terminal)
    return this.#process(id, socket, head, spec.terminal)
  }

  async #call(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const answer = await exchange({
      url: new URL(path, this.#base),
      method,
      ...(this.#socketPath !== undefined && { socketPath: this.#socketPath }),
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    if (answer.status >= 400)
      throw new RuntimeError('refused', `Error response from daemon: ${answer.body.trim()}`)
    return answer.body.trim() === '' ? {} : (JSON.parse(answer.body) as unknown)
  }

  /** Starts the command; from here on the connection is its own. */
  #attach(id: string, terminal: boolean): Promise<{ readonly socket: Socket; readonly head: Buffer }> {
    const body = JSON.stringify({ Detach: false, Tty: terminal })
    return new Promise((resolve, reject) => {
      const starting = request(new URL(`/exec/${id}/start`, this.#base), {
        method: 'POST',
        headers: {
          connection: 'Upgrade',
          upgrade: 'tcp',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        ...(this.#socketPath !== undefined && { socketPath: this.#socketPath }),
      })
      starting.on('upgrade', (_response: IncomingMessage, socket: Socket, head: Buffer) =>
        resolve({ socket, head }),
      )
      starting.on('response', (response: IncomingMessage) => {
        text(response).then(
          (answer) => reject(new RuntimeError('refused', `Error response from daemon: ${answer.trim()}`)),
          reject,
        )
      })
      starting.on('error', (error) => reject(new RuntimeError('unreachable', error.message)))
      starting.end(body)
    })
  }

  #process(id: string, socket: Socket, head: Buffer, terminal: boolean): ExecProcess {
    const process: ExecProcess = {
      write: (bytes) => socket.write(bytes),
      // Of a terminal Docker would close the output too; there the end of input is a key.
      endInput: () => void (terminal ? socket.write('\u0004') : socket.end()),
      resize: async ({ cols, rows }) => {
        await this.#call('POST', `/exec/${id}/resize?h=${rows}&w=${cols}`)
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: async () => {
        await this.#end(id).finally(() => socket.destroy())
      },
      onOutput: () => undefined,
      onWritable: () => undefined,
      onExit: () => undefined,
    }
    const read = terminal
      ? (bytes: Buffer) => process.onOutput('output', bytes)
      : frames((stream, bytes) => process.onOutput(stream, bytes))
    // Nothing is read before the owner has set its handlers.
    setImmediate(() => {
      if (head.length > 0) read(head)
      socket.on('data', read)
    })
    socket.on('drain', () => process.onWritable())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#exitCode(id).then(
        (code) => process.onExit(code),
        () => process.onExit(undefined),
      )
    })
    return process
  }

  async #inspect(id: string): Promise<Inspected> {
    return (await this.#call('GET', `/exec/${id}/json`)) as Inspected
  }

  /** The connection may end a moment before Docker knows of the end. */
  async #exitCode(id: string): Promise<number | undefined> {
    for (let look = 0; look < exitLooks; look++) {
      const { Running: running, ExitCode: code } = await this.#inspect(id)
      if (!running) return code ?? undefined
      await sleep(exitLookMs)
    }
    return undefined
  }

  /** Hangs up as a terminal that goes away does, and kills what stays. */
  async #end(id: string): Promise<void> {
    for (const signal of ['SIGHUP', 'SIGKILL'] as const) {
      for (let waited = 0; waited < hangUpMs; waited += exitLookMs) {
        const { Running: running, Pid: pid } = await this.#inspect(id)
        if (!running || pid <= 1) return
        if (waited === 0) signalGroup(pid, signal)
        await sleep(exitLookMs)
      }
    }
  }
}

/** A command is the leader of a session of its own, so its whole group hears. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid])
    try {
      process.kill(target, signal)
      return
    } catch {
      // It has gone, or has no group of its own: the next look tells.
    }
}
