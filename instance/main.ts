// The init of an embedded EC2 instance. The provider starts it, in the instance's network namespace, with the path of
// its instance.json. It serves instance metadata, forwards the registry's loopback port to the control plane and keeps
// containerd, dockerd and the agent running. SIGTERM shuts the instance down: agent, containers, daemons, in that order.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import type { Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { sleep } from '@berth/std/clock.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { agentProcess, containerdProcess, dockerdProcess, prepareDockerFiles } from './processes.ts'
import { stopContainers } from './docker-shutdown.ts'
import type { InstanceDescription } from './description.ts'
import { metadataService } from './metadata-service.ts'
import { portForward } from './port-forward.ts'
import { supervise } from './supervisor.ts'

const instance = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as InstanceDescription
const { directory, runDirectory, controlPlaneUrl, registryPort } = instance
const clock = systemClock
const log = (text: string): void => console.log(`${new Date(clock.now()).toISOString()} ${text}`)

const shutdown = new AbortController()
const stopDaemons = new AbortController()
process.on('SIGTERM', () => shutdown.abort())
process.on('uncaughtException', (error) => log(`uncaught: ${error.stack ?? error.message}`))

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve) => {
    server.on('error', (error) => {
      log(`cannot listen on ${host}:${port}: ${error.message}`)
      resolve()
    })
    server.listen(port, host, resolve)
  })

mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
log(
  `boot ${instance.boot} of ${instance.instanceId}, ${instance.instanceType} at ${instance.privateIpAddress}`,
)
prepareDockerFiles(instance)
const daemons = Promise.all(
  [containerdProcess(instance), dockerdProcess(instance)].map((daemon) =>
    supervise(daemon, { clock, stop: stopDaemons.signal, log }),
  ),
)

/** Lets the daemons resolve names where the machine's resolver is out of reach, on the machine's loopback interface. */
async function forwardNames(): Promise<void> {
  const resolvConf = readFileSync('/etc/resolv.conf', 'utf8')
  if (!/^\s*nameserver\s+(?:127\.|::1)/m.test(resolvConf)) return
  const { dnsForward, loopbackNameServers, machineNameServers } = await import('./dns-forward.ts')
  const addresses = loopbackNameServers(resolvConf)
  if (addresses.length > 0 && machineNameServers().length === 0)
    log(
      'names do not resolve in this instance: /etc/resolv.conf names a resolver on loopback, and no file says which servers that one asks',
    )
  for (const address of addresses) {
    const { udp, tcp } = dnsForward(address, () => machineNameServers(), clock)
    udp.on('error', (error) => log(`names at ${address}: ${error.message}`))
    udp.bind(53, address)
    await listen(tcp, 53, address)
  }
}

const gateway = new URL(controlPlaneUrl)
const listening = Promise.all([
  forwardNames().catch((error: unknown) => log(`names are not forwarded: ${String(error)}`)),
  listen(metadataService(instance, clock, systemIds), 80, '169.254.169.254'),
  listen(portForward(gateway.hostname, Number(gateway.port)), registryPort, '127.0.0.1'),
])
await listening
writeFileSync(`${runDirectory}/ready`, String(instance.boot))
log('instance metadata and registry are served')
flushCompileCache()

// The daemon listens before it is ready, and the agent waits for its answer; but without a socket the agent would end.
const socket = `${runDirectory}/docker.sock`
const until = clock.now() + 10_000
while (!existsSync(socket) && !shutdown.signal.aborted && clock.now() < until) await sleep(clock, 10)
const agent = agentProcess(instance, fileURLToPath(import.meta.resolve('@berth/agent/main.ts')))
await supervise(agent, { clock, stop: shutdown.signal, log })
if (!shutdown.signal.aborted) {
  log('the agent asked not to be started again')
  await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve))
}

log('shutting down')
const graceSeconds = 10
await Promise.race([
  stopContainers(socket, graceSeconds).catch((error: unknown) =>
    log(`containers were not stopped: ${String(error)}`),
  ),
  sleep(clock, (graceSeconds + 2) * 1000),
])
stopDaemons.abort()
await daemons
log(`shut down; its data stays in ${directory}`)
process.exit(0)
