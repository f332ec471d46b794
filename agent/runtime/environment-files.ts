/** Fetches the environment files of a task's containers, with the task's execution role. */
import type { RoleCredentials } from '@berth/agent-protocol/payload.ts'
import { fileContributions, neededFiles, type ObjectPlace, objectPlace } from '#engine/environment-file.ts'
import type { TaskCredentials } from './credentials.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/** What S3 says no to. */
export class ObjectError extends Error {}

/** S3. A refusal is thrown as an ObjectError; anything else thrown is a failure of the way there and may be tried again. */
export type GetObject = (place: ObjectPlace, credentials: RoleCredentials) => Promise<string>

/** The variables of environment files. They are fetched anew when an agent restarts before all containers are made. */
export function environmentFiles(getObject: GetObject, credentials: TaskCredentials): TaskResource {
  return {
    name: 'environment files',
    isNeeded: (record) => neededFiles(record).length > 0,
    provide: async (record) => {
      const onFargate = record.task.launchType === 'FARGATE'
      const refuse = (text: string): never => {
        throw onFargate
          ? new ResourceError(`failed to download env files: ${text}`)
          : new ResourceError(text, '')
      }
      if (record.executionCredentialsId === undefined)
        return refuse('environment file resource: unable to find execution role credentials')
      const role = await credentials.credentialsFor(record.task.arn, 'execution')
      const fetched = await Promise.all(
        neededFiles(record).map(async (arn) => {
          try {
            return { arn, text: await fetchFile(getObject, arn, role) }
          } catch (error) {
            if (!(error instanceof ObjectError)) throw error
            return { arn, refusal: error.message }
          }
        }),
      )
      const refusals = fetched.flatMap(({ refusal }) => refusal ?? [])
      if (refusals.length > 0) refuse(refusals.join(';'))
      return fileContributions(record, new Map(fetched.map(({ arn, text = '' }) => [arn, text])))
    },
  }
}

/** @throws ObjectError in the official agent's words */
async function fetchFile(getObject: GetObject, arn: string, role: RoleCredentials): Promise<string> {
  const place = objectPlace(arn)
  if (!place)
    throw new ObjectError(
      `unable to parse bucket and key from s3 ARN specified in environmentFile ${arn}, error: the ARN names no object`,
    )
  try {
    return await getObject(place, role)
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error
    throw new ObjectError(
      `unable to download env file with key ${place.key} from bucket ${place.bucket}, error: ${error.message}`,
    )
  }
}
