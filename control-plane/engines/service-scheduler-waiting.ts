/** Which services wait for room, and whose turn it is when some is freed. */
import type { Free } from '#domain/placement/instance-load.ts'
import type { Demand } from '#domain/resources.ts'
import type { Fleet } from '#state/fleet.ts'

/** Services woken by one instance with room: each may cost a placement that fails. */
const wokenMax = 4

interface Waiting {
  readonly clusterArn: string
  /** What one of its tasks demands. */
  readonly demand: Demand
  /** The instance whose room woke it last. */
  readonly wokenBy?: string
}

/**
 * The services with tasks that found no place. Room on an instance wakes a few of those that could fit there, who has
 * waited longest first; one that got all it wanted wakes the next. What is never woken looks again by itself when its
 * wait for a place is over. Not kept over a restart: the first look at everything finds them again.
 */
export class WaitingServices {
  readonly #fleet: Fleet
  readonly #rows = new Map<string, Waiting>()
  /** By cluster, in the order of their turns. */
  readonly #lines = new Map<string, Set<string>>()

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  /** The services whose turn it is now that the instance may have room; they go to the end of the line. */
  wokenBy(containerInstanceArn: string | undefined, most = wokenMax): readonly string[] {
    const load = this.#fleet.instance(containerInstanceArn ?? '')
    const line = this.#lines.get(load?.instance?.clusterArn ?? '')
    if (!load || !line || containerInstanceArn === undefined) return []
    const woken: string[] = []
    for (const serviceArn of line) {
      if (woken.length === most) break
      const row = this.#rows.get(serviceArn)
      if (!row || !hasRoom(load.free, row.demand)) continue
      this.#rows.set(serviceArn, { ...row, wokenBy: containerInstanceArn })
      woken.push(serviceArn)
    }
    for (const serviceArn of woken) {
      line.delete(serviceArn)
      line.add(serviceArn)
    }
    return woken
  }

  /** Notes what the service waits for, if anything, and returns whose turn it is then. */
  set(serviceArn: string, wanted: Omit<Waiting, 'wokenBy'> | undefined): readonly string[] {
    const before = this.#rows.get(serviceArn)
    if (wanted) {
      this.#rows.set(serviceArn, wanted)
      const line = this.#lines.get(wanted.clusterArn)
      if (line) line.add(serviceArn)
      else this.#lines.set(wanted.clusterArn, new Set([serviceArn]))
      return []
    }
    if (!before) return []
    this.#rows.delete(serviceArn)
    const line = this.#lines.get(before.clusterArn)
    line?.delete(serviceArn)
    if (line?.size === 0) this.#lines.delete(before.clusterArn)
    return this.wokenBy(before.wokenBy, 1)
  }
}

/** Cheap, and only the first question: ports, attributes and constraints are placement's affair. */
function hasRoom(free: Free, { cpu, memoryMiB, gpu }: Demand): boolean {
  return cpu <= free.cpu && memoryMiB <= free.memory && gpu <= free.gpu
}
