/** Which services wait for room, and whose turn it is when some is freed. */
import type { FargateLimits } from '#domain/fargate.ts'
import type { Free } from '#domain/placement/instance-load.ts'
import type { Demand } from '#domain/resources.ts'
import type { Fleet } from '#state/fleet.ts'

/** Services woken by one instance with room: each may cost a placement that fails. */
const wokenMax = 4

/** Where those wait that wait for Fargate. */
export const fargatePlace = 'Fargate'

type Room = Pick<Free, 'cpu' | 'memory' | 'gpu'>

interface Waiting {
  /** A cluster's ARN, or Fargate. */
  readonly place: string
  /** What one of its tasks demands. */
  readonly demand: Demand
  /** The instance, or Fargate, whose room woke it last. */
  readonly wokenBy?: string
}

/**
 * The services with tasks that found no place. Room on an instance wakes a few of those that could fit there, who has
 * waited longest first; one that got all it wanted wakes the next. What is never woken looks again by itself when its
 * wait for a place is over. Not kept over a restart: the first look at everything finds them again.
 */
export class WaitingServices {
  readonly #fleet: Fleet
  readonly #fargate: FargateLimits | undefined
  readonly #rows = new Map<string, Waiting>()
  /** By place, in the order of their turns. */
  readonly #lines = new Map<string, Set<string>>()

  constructor(fleet: Fleet, fargate?: FargateLimits) {
    this.#fleet = fleet
    this.#fargate = fargate
  }

  /** Those whose turn it is now that a Fargate task has left what Fargate has. */
  wokenByFargate(): readonly string[] {
    if (!this.#fargate) return []
    const { cpu, memoryMiB } = this.#fleet.fargateLeft(this.#fargate)
    return this.#wake(fargatePlace, { cpu, memory: memoryMiB, gpu: 0 }, fargatePlace, wokenMax)
  }

  /** The services whose turn it is now that the instance may have room; they go to the end of the line. */
  wokenBy(containerInstanceArn: string | undefined, most = wokenMax): readonly string[] {
    const load = this.#fleet.instance(containerInstanceArn ?? '')
    const { instance, free } = load ?? {}
    if (!instance || !free || containerInstanceArn === undefined) return []
    return this.#wake(instance.clusterArn, free, containerInstanceArn, most)
  }

  #wake(place: string, free: Room, wokenBy: string, most: number): readonly string[] {
    const line = this.#lines.get(place)
    if (!line) return []
    const woken: string[] = []
    for (const serviceArn of line) {
      if (woken.length === most) break
      const row = this.#rows.get(serviceArn)
      if (!row || !hasRoom(free, row.demand)) continue
      this.#rows.set(serviceArn, { ...row, wokenBy })
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
      if (before && before.place !== wanted.place) this.#leave(serviceArn, before.place)
      const line = this.#lines.get(wanted.place)
      if (line) line.add(serviceArn)
      else this.#lines.set(wanted.place, new Set([serviceArn]))
      return []
    }
    if (!before) return []
    this.#rows.delete(serviceArn)
    this.#leave(serviceArn, before.place)
    return before.wokenBy === fargatePlace ? this.wokenByFargate() : this.wokenBy(before.wokenBy, 1)
  }

  #leave(serviceArn: string, place: string): void {
    const line = this.#lines.get(place)
    line?.delete(serviceArn)
    if (line?.size === 0) this.#lines.delete(place)
  }
}

/** Cheap, and only the first question: ports, attributes and constraints are placement's affair. */
function hasRoom(free: Room, { cpu, memoryMiB, gpu }: Demand): boolean {
  return cpu <= free.cpu && memoryMiB <= free.memory && gpu <= free.gpu
}
