import type { TaskOverride } from '@aws-sdk/client-ecs'
import type { TaskDefinition } from './task-definition.ts'

/** A role's part in a task, as the agents' protocol calls it: its containers act as the first, its agent as the second. */
export type RoleType = 'TaskApplication' | 'TaskExecution'

/** The service that assumes the roles of tasks. */
export const taskRolePrincipal = 'ecs-tasks.amazonaws.com'

/**
 * The ARNs of a task's role and execution role, as far as it has them: of the run's overrides, else of its definition. A
 * role may be named by its name alone, which is then one of the task's own account.
 */
export function rolesOf(
  overrides: Pick<TaskOverride, 'taskRoleArn' | 'executionRoleArn'> | undefined,
  { accountId, taskRoleArn, executionRoleArn }: TaskDefinition,
): Readonly<Partial<Record<RoleType, string>>> {
  const arnOf = (role: string): string =>
    role.startsWith('arn:') ? role : `arn:aws:iam::${accountId}:role/${role}`
  const task = overrides?.taskRoleArn || taskRoleArn
  const execution = overrides?.executionRoleArn || executionRoleArn
  return {
    ...(task && { TaskApplication: arnOf(task) }),
    ...(execution && { TaskExecution: arnOf(execution) }),
  }
}
