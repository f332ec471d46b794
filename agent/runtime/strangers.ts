/**
 * Containers of tasks that this agent does not know: its data directory was lost, or it is a copy of another host's
 * disk. They are removed, so that a task never runs where nobody watches it, and never twice.
 */
import { containerNameLabel, taskArnLabel } from '#engine/container-spec.ts'
import { lostTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import type { ContainerRuntime } from './container-runtime.ts'
import type { Log } from './ports.ts'

/**
 * Removes the containers of unknown tasks, unless these are awaited, and those containers of known tasks that run although they count as STOPPED.
 * Returns what is to be told of the unknown tasks: that those with running containers have ended. Of the others nothing
 * is told, since on a copy of a host's disk they are containers of tasks that run on the original.
 * @throws RuntimeError when the runtime does not do as told; what was removed by then stays removed
 */
export async function removeStrangers(
  runtime: ContainerRuntime,
  known: ReadonlyMap<string, TaskRecord | 'awaited'>,
  now: number,
  log: Log,
): Promise<readonly TaskRecord[]> {
  const lost = new Map<string, string[]>()
  for (const { id, name, labels, running } of await runtime.list(taskArnLabel)) {
    const arn = labels[taskArnLabel] ?? ''
    const record = known.get(arn)
    if (record === 'awaited') continue
    if (record) {
      const ghost = record.containers.some((mine) => mine.dockerName === name && mine.state === 'STOPPED')
      if (!ghost || !running) continue
    } else if (running) lost.set(arn, [...(lost.get(arn) ?? []), labels[containerNameLabel] ?? ''])
    log('warn', 'a container that should not be there is removed', { task: arn, container: name, running })
    await runtime.remove(id)
  }
  return [...lost].map(([arn, containers]) => lostTaskRecord(arn, containers, now))
}
