/** A port of a host, which one task at a time may hold. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
}

/** What a task takes from the instance it runs on, whole: fixed when the task is made. */
export interface Demand {
  /** CPU units, 1024 a core. */
  readonly cpu: number
  readonly memoryMiB: number
  /** Static host ports; dynamic ones are the agent's affair and take nothing here. */
  readonly ports: readonly HostPort[]
  readonly gpu: number
  /** Network interfaces of the instance for tasks of network mode awsvpc; absent: none. */
  readonly eni?: number
}
