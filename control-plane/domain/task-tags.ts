import type { ResourceTag } from './tags.ts'

/**
 * The tags of a new task: those propagated to it, over them those given for it, and with managed tags those by which ECS
 * names its cluster and its service or daemon. Empty when there are none.
 */
export function taskTags({
  given = [],
  propagated = [],
  managed,
}: {
  readonly given?: readonly ResourceTag[]
  readonly propagated?: readonly ResourceTag[]
  /** Absent when ECS managed tags are not enabled. */
  readonly managed?: {
    readonly clusterName: string
    readonly serviceName?: string
    readonly daemonName?: string
  }
}): readonly ResourceTag[] {
  const ofEcs: ResourceTag[] = []
  if (managed) ofEcs.push({ key: 'aws:ecs:clusterName', value: managed.clusterName })
  if (managed?.serviceName !== undefined)
    ofEcs.push({ key: 'aws:ecs:serviceName', value: managed.serviceName })
  if (managed?.daemonName !== undefined) ofEcs.push({ key: 'aws:ecs:daemonName', value: managed.daemonName })
  const tags = new Map([...propagated, ...given, ...ofEcs].map((tag) => [tag.key, tag]))
  return [...tags.values()]
}
