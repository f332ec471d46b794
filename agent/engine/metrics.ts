/** Turns samples of a container's use into the sets of figures TCS carries. */
import type { ContainerMetric, NetworkStatsSet, StatsSet } from '@berth/agent-protocol/tcs.ts'

/** What a container has used since it started. */
export interface UsageSample {
  readonly atMs: number
  /** Nanoseconds of one core. */
  readonly cpuNs: number
  readonly cores: number
  readonly memoryBytes: number
  readonly readBytes: number
  readonly writeBytes: number
  readonly network?: NetworkUse
}

const counters = [
  'rxBytes',
  'rxPackets',
  'rxErrors',
  'rxDropped',
  'txBytes',
  'txPackets',
  'txErrors',
  'txDropped',
] as const
export type NetworkCounter = (typeof counters)[number]

/** What has gone over a network since its interfaces are there. */
export type NetworkUse = Readonly<Record<NetworkCounter, number>>

/** The part of one of `sharers` containers in the network of their task: they count for as much each. */
export function shareOf(use: NetworkUse, sharers: number): NetworkUse {
  return Object.fromEntries(
    counters.map((counter) => [counter, Math.floor(use[counter] / sharers)]),
  ) as NetworkUse
}

/** The official control plane reads the overflow members too; they are 0 below 2^63. */
const overflow = { overflowMin: 0, overflowMax: 0, overflowSum: 0 }

function statsSet(values: readonly number[]): StatsSet {
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    sum: values.reduce((sum, value) => sum + value, 0),
    sampleCount: values.length,
  }
}

const cumulative = (values: readonly number[]): StatsSet => ({ ...statsSet(values), ...overflow })

/** What is used between each two samples, by `rate`. */
function rates(
  samples: readonly UsageSample[],
  rate: (from: UsageSample, to: UsageSample, seconds: number) => number,
): readonly number[] {
  return samples.slice(1).flatMap((to, index) => {
    const from = samples[index]
    const seconds = from ? (to.atMs - from.atMs) / 1000 : 0
    return from && seconds > 0 ? [Math.max(0, rate(from, to, seconds))] : []
  })
}

/**
 * One container's figures of a period; the first sample is the last of the period before. CPU is in percent of the
 * whole host, memory in whole MiB. Undefined below two samples.
 */
export function containerMetric(
  container: { readonly name: string; readonly containerArn?: string; readonly restartCount?: number },
  samples: readonly UsageSample[],
): ContainerMetric | undefined {
  const cpu = rates(samples, (from, to, seconds) => {
    return ((to.cpuNs - from.cpuNs) / (seconds * 1e9 * Math.max(1, to.cores))) * 100
  })
  if (!cpu.length) return undefined
  const fresh = samples.slice(1)
  const network = networkStats(samples)
  return {
    containerName: container.name,
    ...(container.containerArn !== undefined && { containerArn: container.containerArn }),
    cpuStatsSet: statsSet(cpu),
    memoryStatsSet: statsSet(fresh.map(({ memoryBytes }) => Math.floor(memoryBytes / 2 ** 20))),
    ...(network && { networkStatsSet: network }),
    storageStatsSet: {
      readSizeBytes: cumulative(fresh.map(({ readBytes }) => readBytes)),
      writeSizeBytes: cumulative(fresh.map(({ writeBytes }) => writeBytes)),
    },
    ...(container.restartCount !== undefined && {
      restartStatsSet: { restartCount: container.restartCount },
    }),
  }
}

function networkStats(samples: readonly UsageSample[]): NetworkStatsSet | undefined {
  if (!samples.every(({ network }) => network)) return undefined
  const of = (sample: UsageSample, counter: NetworkCounter): number => sample.network?.[counter] ?? 0
  const perSecond = (counter: NetworkCounter): StatsSet =>
    statsSet(rates(samples, (from, to, seconds) => (of(to, counter) - of(from, counter)) / seconds))
  const totals = counters.map((counter) => [
    counter,
    cumulative(samples.slice(1).map((sample) => of(sample, counter))),
  ])
  return {
    ...(Object.fromEntries(totals) as Record<NetworkCounter, StatsSet>),
    rxBytesPerSecond: perSecond('rxBytes'),
    txBytesPerSecond: perSecond('txBytes'),
  }
}
