import type { AgentDisk } from './ports.ts'

/** A disk that outlives the agents that use it. Values are kept as JSON, so what would not survive a real one is lost here too. */
export class InMemoryDisk implements AgentDisk {
  readonly values = new Map<string, string>()
  saves = 0
  /** Which values a full disk has no room for. */
  refuse: (key: string) => boolean = () => false

  load(): Promise<ReadonlyMap<string, unknown>> {
    return Promise.resolve(
      new Map([...this.values].map(([key, value]) => [key, JSON.parse(value) as unknown])),
    )
  }

  save(key: string, value: unknown): Promise<void> {
    if (this.refuse(key)) return Promise.reject(new Error('ENOSPC: no space left on device, write'))
    this.saves++
    this.values.set(key, JSON.stringify(value))
    return Promise.resolve()
  }

  remove(key: string): Promise<void> {
    this.values.delete(key)
    return Promise.resolve()
  }
}
