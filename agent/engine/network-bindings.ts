import type { HostPort } from './host-ports.ts'
import type { NetworkBinding } from './task-record.ts'

/** What is reported of a container's ports: one binding a port, and one for all of a containerPortRange. */
export function networkBindings(ports: readonly HostPort[]): readonly NetworkBinding[] {
  const bindings: NetworkBinding[] = []
  const ranges = new Map<string, HostPort[]>()
  for (const port of ports)
    if (port.range === undefined)
      bindings.push({
        bindIP: '0.0.0.0',
        containerPort: port.containerPort,
        hostPort: port.hostPort,
        protocol: port.protocol,
      })
    else {
      const key = `${port.range}/${port.protocol}`
      ranges.set(key, [...(ranges.get(key) ?? []), port])
    }
  for (const block of ranges.values()) {
    const [low] = block
    const high = block.at(-1)
    if (low?.range !== undefined && high)
      bindings.push({
        bindIP: '0.0.0.0',
        containerPortRange: low.range,
        hostPortRange: `${low.hostPort}-${high.hostPort}`,
        protocol: low.protocol,
      })
  }
  return bindings
}
