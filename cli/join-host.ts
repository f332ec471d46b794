import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { supervise, type Supervised } from '@berth/instance/supervisor.ts'
import { sleep } from '@berth/std/clock.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { Failure } from './failure.ts'
import { tunnel } from './join-tunnel.ts'
import { agentConfigFile, type HostSettings, localPort } from './join-settings.ts'

/** The exit code of an agent, and of this process, that says: do not start me again. */
export const terminalCode = 5

const pidFile = (directory: string): string => join(directory, 'host.pid')
const agentFile = fileURLToPath(import.meta.resolve('@berth/agent/main.ts'))
const stopWithinMs = 20_000

/** The process that runs a joined host of this directory; undefined when none does. */
export function hostProcess(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(directory), 'utf8'))
    const words = wordsOf(pid)
    return words.some((word) => word.endsWith('cli/main.ts')) && words.includes('join') ? pid : undefined
  } catch {
    return undefined // no file
  }
}

/** Ends whatever runs of the host in this directory: its process, or the agent of one that was killed. */
export async function endHost(directory: string): Promise<void> {
  await endAll(() => {
    const pid = hostProcess(directory)
    return pid === undefined ? [] : [pid]
  })
  await endAgents(directory)
}

/** The agent of a process that was killed runs on, and there must not be two. */
const endAgents = (directory: string): Promise<void> =>
  endAll(() =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const words = wordsOf(pid)
        return words.includes(agentFile) && words.includes(directory)
      }),
  )

async function endAll(look: () => readonly number[]): Promise<void> {
  const until = systemClock.now() + stopWithinMs
  for (const pid of look()) process.kill(pid, 'SIGTERM')
  for (;;) {
    const left = look()
    if (left.length === 0) return
    if (systemClock.now() > until) for (const pid of left) process.kill(pid, 'SIGKILL')
    await sleep(systemClock, 50)
  }
}

/** The words of a process; none when there is no such process. */
function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/**
 * Runs this host until SIGTERM or SIGINT: the way to the control plane, on the loopback port that images name, and the
 * agent, which knows no other. Its tasks run on when it ends. Ends with exit code 5 when the agent must not be started again.
 */
export async function runHost(directory: string, settings: HostSettings): Promise<void> {
  const other = hostProcess(directory)
  if (other !== undefined && other !== process.pid)
    throw new Failure(`the agent of this host runs already (process ${other})`)
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  process.once('SIGINT', () => stop.abort())
  const log = (text: string): void => console.log(`${new Date(systemClock.now()).toISOString()} ${text}`)
  const server = tunnel(settings, (problem) =>
    log(problem === undefined ? `connected to ${settings.url}` : `no way to ${settings.url}: ${problem}`),
  )
  await listen(server, localPort(settings))
  await endAgents(directory)
  writeFileSync(pidFile(directory), String(process.pid))
  log(`${settings.instanceId} of ${settings.url}, cluster ${settings.cluster}`)
  await supervise(agentOf(directory, settings), { clock: systemClock, stop: stop.signal, log })
  rmSync(pidFile(directory), { force: true })
  if (!stop.signal.aborted)
    log(`the agent asked not to be started again; ${join(directory, 'agent.log')} says why`)
  process.exit(stop.signal.aborted ? 0 : terminalCode)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Failure(`port ${port} on 127.0.0.1 cannot be had (${error.code}): ${portReason}`)),
    )
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Why the port must be that one. */
export const portReason =
  'images and tasks reach the control plane there, under the number it has on its own machine; end what listens on it'

function agentOf(directory: string, settings: HostSettings): Supervised {
  const data = join(directory, 'agent')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const endpoint = `http://127.0.0.1:${localPort(settings)}`
  const passedOn = ['PATH', 'HOME', 'LANG', 'NODE_COMPILE_CACHE', 'BERTH_BUSYBOX'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    name: 'agent',
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=1',
      agentFile,
      // The agent reads no such word: it is known by it.
      directory,
    ],
    env: {
      ...Object.fromEntries(passedOn),
      MALLOC_ARENA_MAX: '2',
      ECS_CONFIG_FILE: agentConfigFile(directory),
      ECS_EXTERNAL: 'true',
      // Of no cluster at all the agent makes the default one where it is missing.
      ...(settings.cluster !== 'default' && { ECS_CLUSTER: settings.cluster }),
      ECS_BACKEND_HOST: endpoint,
      AWS_DEFAULT_REGION: settings.region,
      AWS_ACCESS_KEY_ID: settings.accessKeyId,
      AWS_SECRET_ACCESS_KEY: settings.secretAccessKey,
      AWS_SESSION_TOKEN: settings.sessionToken,
      DOCKER_HOST: settings.dockerHost,
      ECS_DATADIR: data,
      ...(settings.tags.length > 0 && {
        ECS_CONTAINER_INSTANCE_TAGS: JSON.stringify(
          Object.fromEntries(settings.tags.map(({ key, value }) => [key, value])),
        ),
      }),
    },
    logFile: join(directory, 'agent.log'),
    terminalCodes: [terminalCode],
  }
}
