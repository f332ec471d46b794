import type { TaskOverride } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { refusedTaskRole } from '#state/assume-role.ts'
import type { View } from '#state/store.ts'

/**
 * Throws ClientException where ECS could not act as a role of the task. Only where IAM is enforced; otherwise roles need
 * not even exist.
 */
export function checkTaskRoles(
  view: View,
  { installation }: Context,
  taskDefinition: TaskDefinition,
  overrides: TaskOverride | undefined,
): void {
  if (!installation.enforcesIam) return
  const refused = refusedTaskRole(view, taskDefinition, overrides)
  if (refused !== undefined) throw new AwsError('ClientException', refused)
}
