/** One answered request. */
export interface RequestObservation {
  readonly service: string
  readonly operation: string
  readonly status: number
  readonly durationMs: number
}

export interface Metrics {
  readonly observe: (request: RequestObservation) => void
  /** Everything in Prometheus's text format. */
  render(): Promise<string>
}

const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

interface Series {
  readonly labels: string
  readonly buckets: number[]
  sum: number
  count: number
}

/**
 * Counts requests and their latencies. They are kept in plain objects and the metrics library, which tells of the
 * process, comes with the first look at /metrics: it would cost memory and start-up time that most never use.
 */
export function createMetrics(): Metrics {
  const all = new Map<string, Series>()
  const loadProcessMetrics = lazily(async () => {
    const { Registry, collectDefaultMetrics } = await import('prom-client')
    const register = new Registry()
    collectDefaultMetrics({ register })
    return register
  })
  return {
    observe({ service, operation, status, durationMs }) {
      const labels = `service="${service}",operation="${operation}",status="${status}"`
      let series = all.get(labels)
      if (!series)
        all.set(labels, (series = { labels, buckets: bucketsSeconds.map(() => 0), sum: 0, count: 0 }))
      const seconds = durationMs / 1000
      const bucket = bucketsSeconds.findIndex((bound) => seconds <= bound)
      if (bucket !== -1) series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
      series.sum += seconds
      series.count++
    },
    render: async () => (await (await loadProcessMetrics()).metrics()) + renderRequests([...all.values()]),
  }
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

function renderRequests(all: readonly Series[]): string {
  const name = 'berth_api_request_duration_seconds'
  const lines = [
    `# HELP ${name} How long requests of the AWS APIs took, by service, operation and HTTP status.`,
    `# TYPE ${name} histogram`,
  ]
  for (const { labels, buckets, sum, count } of all) {
    let below = 0
    for (const [index, bound] of bucketsSeconds.entries())
      lines.push(`${name}_bucket{${labels},le="${bound}"} ${(below += buckets[index] ?? 0)}`)
    lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`, `${name}_sum{${labels}} ${sum}`)
    lines.push(`${name}_count{${labels}} ${count}`)
  }
  return `${lines.join('\n')}\n`
}
