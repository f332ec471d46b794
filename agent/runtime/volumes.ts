import { reasonOf } from '#engine/observe.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { type ContainerRuntime, RuntimeError } from './container-runtime.ts'

/** Why a task's volume is not there, as it is reported. No container of the task can do without. */
export class VolumeError extends Error {
  readonly reason: string
  constructor(errorName: string, text: string) {
    super(text)
    this.reason = reasonOf(errorName, text)
  }
}

/**
 * Makes a volume of a task be there. One that is shared and not autoprovisioned must be there already: Docker would
 * make an empty one of that name, and the task would not miss its data.
 * @throws VolumeError; RuntimeError `unreachable` when nobody knows
 */
export async function provideVolume(
  runtime: ContainerRuntime,
  { task }: TaskRecord,
  { name, dockerName }: TaskRecord['volumes'][number],
): Promise<void> {
  const docker = task.volumes?.find((volume) => volume.name === name)?.dockerVolumeConfiguration
  if (docker?.scope === 'shared' && docker.autoprovision !== true) {
    if (await runtime.hasVolume(dockerName)) return
    throw new VolumeError(
      'ResourceInitializationError',
      `initialize volume: volume detection failed, volume '${name}' does not exist and autoprovision is set to false`,
    )
  }
  try {
    await runtime.createVolume({
      name: dockerName,
      ...(docker?.driver !== undefined && { driver: docker.driver }),
      ...(docker?.driverOpts && { driverOpts: docker.driverOpts }),
      ...(docker?.labels && { labels: docker.labels }),
    })
  } catch (error) {
    if (error instanceof RuntimeError && error.failure !== 'unreachable')
      throw new VolumeError('CannotCreateVolumeError', error.message)
    throw error
  }
}
