import { expect, test } from 'vitest'
import { containerMetric, type UsageSample } from './metrics.ts'

const sample = (atMs: number, cpuNs: number, more: Partial<UsageSample> = {}): UsageSample => ({
  atMs,
  cpuNs,
  cores: 2,
  memoryBytes: 3.5 * 2 ** 20,
  readBytes: 0,
  writeBytes: 10,
  ...more,
})

test('needs two samples, and gives percent of the whole host and whole MiB', () => {
  expect(containerMetric({ name: 'web' }, [sample(0, 0)])).toBeUndefined()
  const metric = containerMetric({ name: 'web' }, [sample(0, 0), sample(10_000, 10e9), sample(20_000, 10e9)])
  expect(metric?.cpuStatsSet).toEqual({ min: 0, max: 50, sum: 50, sampleCount: 2 })
  expect(metric?.memoryStatsSet).toEqual({ min: 3, max: 3, sum: 6, sampleCount: 2 })
  expect(metric).not.toHaveProperty('networkStatsSet')
})

test('network counters are cumulative, their rates per second', () => {
  const counters = (rxBytes: number) => ({
    network: {
      rxBytes,
      rxPackets: 1,
      rxErrors: 0,
      rxDropped: 0,
      txBytes: 0,
      txPackets: 0,
      txErrors: 0,
      txDropped: 0,
    },
  })
  const metric = containerMetric({ name: 'web' }, [
    sample(0, 0, counters(100)),
    sample(10_000, 0, counters(1100)),
  ])
  expect(metric?.networkStatsSet?.rxBytes).toMatchObject({ sum: 1100, sampleCount: 1, overflowSum: 0 })
  expect(metric?.networkStatsSet?.rxBytesPerSecond?.sum).toBe(100)
})
