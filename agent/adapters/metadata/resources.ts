import { join } from 'node:path'
import type { TaskResource } from '#runtime/task-resources.ts'
import type { Environment } from '#adapters/environment.ts'
import { taskEndpoint, taskEndpointResource } from '#adapters/task-endpoint.ts'
import { metadataFiles, type MetadataFileOptions } from './file.ts'

/**
 * What every task is told of where it is: the control plane's URL and, with ECS_ENABLE_CONTAINER_METADATA, its metadata
 * files. What a task finds elsewhere (environment files, secrets) is to be laid over it.
 * @throws ConfigurationError
 */
export function metadataResources(
  environment: Environment,
  options: Omit<MetadataFileOptions, 'directoryOnHost'>,
): readonly TaskResource[] {
  const endpoint = taskEndpoint(environment)
  const directoryOnHost = dataDirectoryOnHost(environment, options.directory)
  return [
    ...(endpoint ? [taskEndpointResource(endpoint)] : []),
    ...(environment['ECS_ENABLE_CONTAINER_METADATA'] === 'true'
      ? [metadataFiles({ ...options, directoryOnHost })]
      : []),
  ]
}

/** The agent's data directory as Docker sees it: another one where the agent itself runs in a container. */
export function dataDirectoryOnHost(environment: Environment, directory: string): string {
  const host = environment['ECS_HOST_DATA_DIR']
  return host ? join(host, 'data') : directory
}
