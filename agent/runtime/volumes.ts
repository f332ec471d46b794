import { efsMount } from '#engine/efs.ts'
import { reasonOf } from '#engine/observe.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { type ContainerRuntime, RuntimeError, type VolumeSpec } from './container-runtime.ts'
import type { AgentConfig } from './ports.ts'

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
  config: Pick<AgentConfig, 'efsServers' | 'region'>,
): Promise<void> {
  const volume = task.volumes?.find((candidate) => candidate.name === name)
  const docker = volume?.dockerVolumeConfiguration
  if (docker?.scope === 'shared') {
    // One that is there is taken as it is, whatever the definition says of its driver.
    if (await runtime.hasVolume(dockerName)) return
    if (docker.autoprovision !== true)
      throw new VolumeError(
        'ResourceInitializationError',
        `initialize volume: volume detection failed, volume '${name}' does not exist and autoprovision is set to false`,
      )
  }
  const efs = volume?.efsVolumeConfiguration
  try {
    await runtime.createVolume({
      name: dockerName,
      ...(docker?.driver !== undefined && { driver: docker.driver }),
      ...(docker?.driverOpts && { driverOpts: docker.driverOpts }),
      ...(docker?.labels && { labels: docker.labels }),
      ...(efs && efsDriver(efs, config)),
    })
  } catch (error) {
    if (error instanceof RuntimeError && error.failure !== 'unreachable')
      throw new VolumeError('CannotCreateVolumeError', error.message)
    throw error
  }
}

function efsDriver(
  efs: Parameters<typeof efsMount>[0],
  { efsServers, region }: Pick<AgentConfig, 'efsServers' | 'region'>,
): Pick<VolumeSpec, 'driver' | 'driverOpts'> {
  const mount = efsMount(efs, efsServers, region)
  if ('fault' in mount)
    throw new VolumeError(
      'ResourceInitializationError',
      `failed to invoke EFS utils commands to set up EFS volumes: ${mount.fault}`,
    )
  return { driver: 'local', driverOpts: mount.options }
}
