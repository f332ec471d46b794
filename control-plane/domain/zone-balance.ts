/**
 * Whether the tasks of a service are spread evenly over Availability Zones: no zone that could take one has two fewer than
 * another.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
 */

/** Tasks by Availability Zone. */
export type ZoneCounts = ReadonlyMap<string, number>

export function countZones(zones: Iterable<string | undefined>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const zone of zones) if (zone !== undefined) counts.set(zone, (counts.get(zone) ?? 0) + 1)
  return counts
}

/**
 * The fullest zone of which a task should make way for one in `free`, the emptiest zone with room; undefined when the two
 * are as even as they can be. Of equally full zones it is the first by name.
 */
export function zoneToLeave(counts: ZoneCounts, free: string): string | undefined {
  const [fullest] = [...counts].toSorted(
    ([one, most], [other, more]) => more - most || (one < other ? -1 : 1),
  )
  return fullest && fullest[1] - (counts.get(free) ?? 0) > 1 ? fullest[0] : undefined
}

/** The counts after one task has moved. */
export function moved(
  counts: ZoneCounts,
  { from, to }: { readonly from: string; readonly to: string },
): ZoneCounts {
  return new Map(counts).set(from, (counts.get(from) ?? 0) - 1).set(to, (counts.get(to) ?? 0) + 1)
}

/** `2 tasks in az-a, 1 tasks in az-b`. */
export function countsText(counts: ZoneCounts): string {
  return [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([zone, count]) => `${count} tasks in ${zone}`)
    .join(', ')
}
