import { arnName } from '#domain/arn.ts'
import { decide } from '#domain/iam/decision.ts'
import { iamKey, parseRoleArn } from '#domain/iam/entities.ts'
import { rolesOf } from '#domain/task-roles.ts'
import type { Task } from '#domain/task.ts'
import { conditionKeysOf } from './principal-conditions.ts'
import { policiesOf } from './principal-policies.ts'
import type { View } from './store.ts'

/**
 * Whether the task, in its task role, may do all of the actions, none of which has a resource. To be asked where IAM is
 * enforced. A task without a role may nothing.
 */
export function taskRoleMay(
  view: Pick<View, 'find'>,
  { taskArn, taskDefinitionArn, overrides, region }: Task,
  actions: readonly string[],
  now: number,
): boolean {
  const taskDefinition = view.find('taskDefinition', taskDefinitionArn)
  const named = parseRoleArn((taskDefinition && rolesOf(overrides, taskDefinition).TaskApplication) ?? '')
  const role = named && view.find('iamRole', iamKey(named.accountId, named.roleName))
  if (!role) return false
  const { accountId, roleName, roleId } = role
  const sessionName = arnName(taskArn)
  const principal = {
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`,
    userId: `${roleId}:${sessionName}`,
  }
  const policies = policiesOf(view, principal)
  const context = () => conditionKeysOf(view, principal, now, region)
  return actions.every(
    (action) => decide(policies, { action, resource: '*', context }).decision === 'allowed',
  )
}
