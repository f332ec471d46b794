// Names on a machine whose resolver listens on its loopback interface (systemd-resolved, dnsmasq): an instance has a
// loopback interface of its own, so its init listens there in the resolver's place and asks the resolver's servers.
import { createSocket, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect, createServer, isIPv6, type Server } from 'node:net'
import type { Clock } from '@berth/std/clock.ts'

export interface NameServer {
  readonly address: string
  readonly port: number
}

/** Where local resolvers say which servers they ask: systemd-resolved, NetworkManager. */
const upstreamFiles = ['/run/systemd/resolve/resolv.conf', '/run/NetworkManager/no-stub-resolv.conf']
const dnsPort = 53
const answerWithinMs = 2_000
const queriesAtOnceMax = 512

function nameServers(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '')
}

const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address)

/** The addresses a resolv.conf names, when all of them are on the loopback interface; else none. */
export function loopbackNameServers(resolvConf: string): string[] {
  const all = nameServers(resolvConf)
  return all.every(isLoopback) ? all : []
}

/** The servers the machine's own resolver asks, as they are now: they change with the network the machine is on. */
export function machineNameServers(files: readonly string[] = upstreamFiles): NameServer[] {
  const found = files.flatMap((file) => nameServers(readIfThere(file)))
  return [...new Set(found)].flatMap((address) => (isLoopback(address) ? [] : [{ address, port: dnsPort }]))
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

export interface DnsForward {
  readonly udp: Socket
  readonly tcp: Server
}

/**
 * Hands queries on to the first of the servers that answers, byte for byte, and its answers back. Both parts are to be
 * made to listen on `address`.
 */
export function dnsForward(address: string, servers: () => readonly NameServer[], clock: Clock): DnsForward {
  const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  let queries = 0
  udp.on('message', (query, client) => {
    // A client asks again when it hears nothing.
    if (queries >= queriesAtOnceMax) return
    queries++
    void firstAnswer(query, servers(), clock).then((answer) => {
      queries--
      if (answer) udp.send(answer, client.port, client.address, () => undefined)
    })
  })

  const tcp = createServer({ allowHalfOpen: true }, (near) => {
    const attempt = ([server, ...rest]: readonly NameServer[]): void => {
      if (server === undefined || near.destroyed) return void near.destroy()
      const far = connect({ host: server.address, port: server.port, allowHalfOpen: true })
      const silent = clock.at(clock.now() + answerWithinMs, () => far.destroy(new Error('no connection')))
      const next = (): void => {
        silent()
        attempt(rest)
      }
      far.once('error', next)
      far.once('connect', () => {
        silent()
        far.off('error', next)
        far.on('error', () => near.destroy())
        near.once('close', () => far.destroy())
        near.pipe(far)
        far.pipe(near)
      })
    }
    near.on('error', () => undefined)
    attempt(servers())
  })
  return { udp, tcp }
}

async function firstAnswer(
  query: Buffer,
  servers: readonly NameServer[],
  clock: Clock,
): Promise<Buffer | undefined> {
  for (const server of servers) {
    const answer = await ask(query, server, clock)
    if (answer) return answer
  }
  return undefined
}

/** Asks from a port of its own, connected, so that only this server can answer, and only this query. */
function ask(query: Buffer, { address, port }: NameServer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const done = (answer?: Buffer): void => {
      cancel()
      socket.removeAllListeners()
      // An error that is still on its way would end the process.
      socket.on('error', () => undefined)
      socket.close()
      resolve(answer)
    }
    const cancel = clock.at(clock.now() + answerWithinMs, () => done())
    socket.on('error', () => done())
    socket.on('message', (answer) => {
      if (answer.subarray(0, 2).equals(query.subarray(0, 2))) done(answer)
    })
    socket.connect(port, address, () => socket.send(query))
  })
}
