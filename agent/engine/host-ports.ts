import type { PayloadPortMapping } from '@berth/agent-protocol/acs.ts'

/** One port of a container and the port of the host that leads to it. */
export interface HostPort {
  readonly containerPort: number
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp'
  /** The containerPortRange it is part of, which is reported as one. */
  readonly range?: string
}

export const portKey = (protocol: string, port: number): string => `${protocol}:${port}`

/**
 * A host port for each port a container publishes. Where none is asked for, the dynamic range is scanned upwards, as the
 * official agent does, so low ports are used again; a containerPortRange gets one contiguous block.
 * @returns the text of the failure when the range has no room
 */
export function allocateHostPorts(
  mappings: readonly PayloadPortMapping[],
  taken: ReadonlySet<string>,
  [first, last]: readonly [number, number],
): readonly HostPort[] | { readonly failure: string } {
  const used = new Set(taken)
  const ports: HostPort[] = []
  for (const mapping of mappings) {
    const protocol = mapping.protocol ?? 'tcp'
    const range = mapping.containerPortRange
    const [low, high] = containerPorts(mapping)
    const count = high - low + 1
    const isFree = (start: number): boolean => {
      for (let port = start; port < start + count; port++) if (used.has(portKey(protocol, port))) return false
      return true
    }
    let start = range === undefined ? (mapping.hostPort ?? 0) : 0
    if (start === 0) {
      start = first
      while (start + count - 1 <= last && !isFree(start)) start++
      if (start + count - 1 > last)
        return { failure: `${count} contiguous host ports are unavailable in ${first}-${last}` }
    }
    for (let offset = 0; offset < count; offset++) {
      used.add(portKey(protocol, start + offset))
      ports.push({
        containerPort: low + offset,
        hostPort: start + offset,
        protocol,
        ...(range !== undefined && { range }),
      })
    }
  }
  return ports
}

function containerPorts({
  containerPort = 0,
  containerPortRange,
}: PayloadPortMapping): readonly [number, number] {
  if (containerPortRange === undefined) return [containerPort, containerPort]
  const [low = 0, high = low] = containerPortRange.split('-').map(Number)
  return [low, high]
}
