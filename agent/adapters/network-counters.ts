import type { NetworkCounter, NetworkUse } from '#engine/metrics.ts'

/** What went over each interface, with Docker's names. */
export type NetworkCounters = Readonly<Record<string, Readonly<Record<string, number>>>>

const columns = ['bytes', 'packets', 'errors', 'dropped'] as const

/** The counters of `/proc/PID/net/dev`, the loopback interface left out. */
export function parseNetDev(text: string): NetworkCounters {
  const entries = text.split('\n').flatMap((line) => {
    const [, name, figures = ''] = /^\s*([^\s:]+):\s*(.+)$/.exec(line) ?? []
    if (name === undefined || name === 'lo') return []
    const counted = figures.trim().split(/\s+/).map(Number)
    const of = (direction: 'rx' | 'tx', offset: number): Array<[string, number]> =>
      columns.map((column, index) => [`${direction}_${column}`, counted[offset + index] ?? 0])
    return [[name, Object.fromEntries([...of('rx', 0), ...of('tx', 8)])] as const]
  })
  return Object.fromEntries(entries)
}

const counterNames: Readonly<Record<NetworkCounter, string>> = {
  rxBytes: 'rx_bytes',
  rxPackets: 'rx_packets',
  rxErrors: 'rx_errors',
  rxDropped: 'rx_dropped',
  txBytes: 'tx_bytes',
  txPackets: 'tx_packets',
  txErrors: 'tx_errors',
  txDropped: 'tx_dropped',
}

/** What went over all the interfaces together; undefined where there are none. */
export function networkUse(networks: NetworkCounters): NetworkUse | undefined {
  const interfaces = Object.values(networks)
  if (interfaces.length === 0) return undefined
  return Object.fromEntries(
    Object.entries(counterNames).map(([counter, name]) => [
      counter,
      interfaces.reduce((sum, counted) => sum + (counted[name] ?? 0), 0),
    ]),
  ) as Record<NetworkCounter, number>
}
