import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join as joinPath, resolve } from 'node:path'
import { parseToken } from '@berth/control-plane/domain/join.ts'
import type { JoinedHost, HostState } from '@berth/control-plane/api/ecs/instances/external-host.ts'
import { sleep } from '@berth/std/clock.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { dataDirectory } from './data-directory.ts'
import { Failure } from './failure.ts'
import { checkHost } from './join-checks.ts'
import { hostProcess, runHost } from './join-host.ts'
import {
  hostDirectory,
  type HostSettings,
  localPort,
  provideNonce,
  readSettings,
  signerOf,
  writeSettings,
} from './join-settings.ts'
import { isSystemd, startUnit } from './join-systemd.ts'
import { PinMismatch, postPinned, Refusal, type Remote } from './join-tunnel.ts'

export interface JoinFlags {
  readonly token?: string
  readonly cluster?: string
  readonly data?: string
  readonly docker: string
  readonly foreground?: boolean
}

/** More than this apart, and the control plane refuses what is signed here. */
const skewMsMax = 4 * 60_000
const connectedWithinMs = 45_000
const berthCommand = resolve(import.meta.dirname, '../berth')

/** Makes this machine a container instance, or starts the agent of one that has joined. Throws Failure. */
export async function join(url: string | undefined, flags: JoinFlags): Promise<void> {
  const directory = hostDirectory(flags.data)
  const known = readSettings(directory)
  if (known && url !== undefined && flags.token !== undefined)
    throw new Failure(
      `this machine has joined ${known.url} as ${known.instanceId}: start it with "berth join", or end that with "berth leave"`,
    )
  if (!known && url === undefined)
    throw new Failure('this machine has not joined: say where, with what "berth token create" printed')
  const settings = known ?? (await exchangeToken(directory, url ?? '', flags))
  if (flags.foreground === true) return runHost(directory, settings)
  if (hostProcess(directory) !== undefined && !isSystemd()) {
    console.log(`${settings.instanceId} runs already`)
    return
  }
  start(directory, flags.data)
  await waitUntilConnected(directory, settings)
}

async function exchangeToken(directory: string, url: string, flags: JoinFlags): Promise<HostSettings> {
  const parts = parseToken(flags.token ?? '')
  if (!parts)
    throw new Failure(
      '--token needs the whole token: copy the line that "berth token create" printed on the control plane\'s machine',
    )
  const address = URL.parse(url)
  if (address?.protocol !== 'https:')
    throw new Failure(`the address is https://HOST:PORT, as "berth token create" printed it, not "${url}"`)
  const remote: Remote = { url: address.origin, pin: parts.pin }
  const lacks = await checkHost(flags.docker, Number(address.port) || 443)
  for (const text of lacks) console.error(`berth: not here: ${text}`)
  const question = {
    token: flags.token?.trim(),
    nonce: provideNonce(directory),
    ...(flags.cluster !== undefined && { cluster: flags.cluster }),
  }
  type Answer = JoinedHost & { readonly registryHost: string; readonly now: number }
  const sentAt = Date.now()
  const answer = await postPinned<Answer>(remote, '/berth/join', question).catch((error: unknown) =>
    explain(error, remote),
  )
  warnOfSkew(answer.now - (sentAt + Date.now()) / 2)
  const { now: _, ...host } = answer
  const settings = { ...remote, ...host, dockerHost: flags.docker }
  writeSettings(directory, settings)
  return settings
}

function explain(error: unknown, { url }: Remote): never {
  if (error instanceof Refusal) throw new Failure(`${error.type}: ${error.message}`)
  if (error instanceof PinMismatch) throw new Failure(error.message)
  const why = error instanceof Error ? error.message : String(error)
  throw new Failure(
    `no control plane answers at ${url} (${why}): it must run with "berth up --listen", and the way there must be open`,
  )
}

function warnOfSkew(skewMs: number): void {
  if (Math.abs(skewMs) <= skewMsMax) return
  const minutes = Math.round(Math.abs(skewMs) / 60_000)
  console.error(
    `berth: the clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'behind' : 'ahead of'} the control plane's, which refuses what is signed more than five minutes apart: set it, for example with NTP`,
  )
}

/** By systemd where it runs the machine; else in the background. */
function start(directory: string, data: string | undefined): void {
  const root = dataDirectory(data)
  if (isSystemd()) {
    startUnit(berthCommand, root)
    console.log('the service berth-agent keeps the agent running, now and after each boot')
    return
  }
  const log = openSync(joinPath(directory, 'host.log'), 'a', 0o600)
  const child = spawn(berthCommand, ['join', '--foreground', '--data', root], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  console.log(
    `the agent runs in the background (process ${child.pid}); no systemd here: at each boot, start it with: ${berthCommand} join --data ${root}`,
  )
}

async function waitUntilConnected(directory: string, settings: HostSettings): Promise<void> {
  const until = systemClock.now() + connectedWithinMs
  let last = ''
  while (systemClock.now() < until) {
    await sleep(systemClock, 500)
    try {
      const state = await postPinned<HostState>(settings, '/berth/host', {}, signerOf(settings))
      if (state.agentConnected && state.containerInstanceArn !== undefined) {
        console.log(
          `joined: ${settings.instanceId} is the container instance ${state.containerInstanceArn} of cluster ${settings.cluster}`,
        )
        return
      }
      last = 'its agent has not connected yet'
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
  }
  throw new Failure(
    `${settings.instanceId} has joined, but is not connected after ${connectedWithinMs / 1000} s (${last}): see ${joinPath(directory, 'agent.log')} and port ${localPort(settings)}; "berth leave" undoes it`,
  )
}
