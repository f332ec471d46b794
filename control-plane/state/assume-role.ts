import { iamKey, type IamRole, parseRoleArn } from '#domain/iam/entities.ts'
import { parseTrustPolicy, type PolicyDocument } from '#domain/iam/policy-document.ts'
import { evaluateTrust } from '#domain/iam/policy-evaluation.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { rolesOf, taskRolePrincipal } from '#domain/task-roles.ts'
import type { View } from './store.ts'

/** A role's trust policy, read once for each row. */
const trusts = new WeakMap<IamRole, PolicyDocument>()

export function trustOf(role: IamRole): PolicyDocument {
  let parsed = trusts.get(role)
  if (!parsed) trusts.set(role, (parsed = parseTrustPolicy(role.trustPolicy)))
  return parsed
}

/** What a service that was told to assume a role gets: whom to issue sessions for, or why it cannot, in AWS's words. */
export type ServiceAssumption =
  | { readonly roleArn: string; readonly accountId: string; readonly roleName: string }
  | { readonly refused: string }

/**
 * Whether a service (`ecs-tasks.amazonaws.com`) may act as the role for that account. Without enforcement any role that is
 * written as one may be, whether it exists or not. `sourceArn` is what it does it for: a task.
 */
export function assumeForService(
  view: Pick<View, 'find'>,
  accountId: string,
  roleArn: string,
  service: string,
  enforce: boolean,
  sourceArn?: string,
): ServiceAssumption {
  const named = parseRoleArn(roleArn)
  const refused = {
    refused: `ECS was unable to assume the role '${roleArn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`,
  }
  if (!named) return refused
  const assumed = { roleArn, ...named }
  if (!enforce) return assumed
  const role = view.find('iamRole', iamKey(named.accountId, named.roleName))
  // Roles are passed within an account only.
  if (!role || role.arn !== roleArn || named.accountId !== accountId) return refused
  const context = { 'aws:sourceaccount': accountId, 'aws:sourcearn': sourceArn }
  const request = { action: 'sts:AssumeRole', context: () => context }
  return evaluateTrust(trustOf(role), { service }, request) === 'allowed' ? assumed : refused
}

/**
 * Why ECS cannot act as a role of such a task, in AWS's words; undefined when it can. To be asked where IAM is enforced:
 * elsewhere roles need not even exist.
 */
export function refusedTaskRole(
  view: Pick<View, 'find'>,
  taskDefinition: TaskDefinition,
  overrides?: Parameters<typeof rolesOf>[0],
): string | undefined {
  const { accountId, region } = taskDefinition
  // The task has no id yet, and nobody can have named it.
  const task = `arn:aws:ecs:${region}:${accountId}:task/*`
  for (const roleArn of Object.values(rolesOf(overrides, taskDefinition))) {
    const assumed = assumeForService(view, accountId, roleArn, taskRolePrincipal, true, task)
    if ('refused' in assumed) return assumed.refused
  }
  return undefined
}
