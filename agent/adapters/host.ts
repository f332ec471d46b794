/** What the machine the agent runs on has. */
import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { portKey } from '#engine/host-ports.ts'

const listening = '0A'

/** CPU units and MiB of the machine, unless an instance is given less of it. */
export function machineSize(environment: Readonly<Record<string, string | undefined>>): {
  readonly cpu: number
  readonly memoryMiB: number
} {
  return {
    cpu: Number(environment['BERTH_HOST_CPU']) || availableParallelism() * 1024,
    memoryMiB: Number(environment['BERTH_HOST_MEMORY_MIB']) || Math.floor(totalmem() / 2 ** 20),
  }
}

export function cpuArchitecture(): string {
  return process.arch === 'arm64' ? 'arm64' : 'x86_64'
}

/** The kernel's range of ephemeral ports in this network namespace. */
export function ephemeralPorts(): readonly [number, number] {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    const [first = 32768, last = 60999] = range.trim().split(/\s+/).map(Number)
    return [first, last]
  } catch {
    return [32768, 60999]
  }
}

/** Ports somebody listens on in this network namespace, Docker's own proxies among them. */
export function busyPorts(): Promise<ReadonlySet<string>> {
  const busy = new Set<string>()
  for (const protocol of ['tcp', 'udp'] as const)
    for (const table of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`])
      for (const line of readTable(table)) {
        const [, local = '', , state] = line.trim().split(/\s+/)
        if (protocol === 'udp' || state === listening)
          busy.add(portKey(protocol, Number.parseInt(local.split(':')[1] ?? '', 16)))
      }
  return Promise.resolve(busy)
}

function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(1)
  } catch {
    // A kernel without IPv6 has no tables for it.
    return []
  }
}
