import type { Task } from '#domain/task.ts'
import type { Store } from '#state/store.ts'

/** The digests of images that the task's deployment is settled on, by container; empty for a task without one. */
export function imageDigests(store: Store, { deploymentId }: Task): ReadonlyMap<string, string> {
  const deployment = store.find('deployment', deploymentId ?? '')
  const revision = store.find('serviceRevision', deployment?.serviceRevisionArn ?? '')
  return new Map(
    (revision?.containerImages ?? []).flatMap(({ containerName, imageDigest }) =>
      imageDigest === undefined ? [] : [[containerName, imageDigest] as const],
    ),
  )
}
