import type * as IAM from '@aws-sdk/client-iam'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { iamArn, iamKey, type IamRole } from '#domain/iam/entities.ts'
import { parseTrustPolicy } from '#domain/iam/policy-document.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import {
  addTags,
  alreadyExists,
  checkDocument,
  checkNames,
  deleteConflict,
  documentSize,
  encodedDocument,
  entityArn,
  limitExceeded,
  pageOfList,
  pageOfTable,
  readTags,
  removeTags,
  resolveEntity,
  showTags,
} from './entity.ts'
import { boundaryArn, showBoundary } from './policy-lookup.ts'

const trustSizeMax = 2048
const sessionSeconds = { min: 3600, max: 43_200 } as const

type NamesRole = { readonly RoleName: string | undefined }
const roleOf = (context: Context, { RoleName }: NamesRole): readonly string[] => [
  entityArn(context, 'iamRole', RoleName),
]

export const createRole: Operation<IAM.CreateRoleRequest, IAM.CreateRoleResponse> = {
  resources: ({ scope }, { Path = '/', RoleName = '' }) => [iamArn(scope.accountId, 'role', Path, RoleName)],
  run: (context, input) => {
    const { Path = '/', RoleName = '', Description, MaxSessionDuration = sessionSeconds.min } = input
    checkNames({ roleName: [RoleName, 64] }, Path, (check) => {
      check.text('description', Description, { min: 0, max: 1000 })
      check.number('maxSessionDuration', MaxSessionDuration, sessionSeconds.min, sessionSeconds.max)
    })
    const trustPolicy = checkTrust(input.AssumeRolePolicyDocument)
    const boundary = boundaryArn(context, input.PermissionsBoundary)
    const { accountId } = context.scope
    const row: IamRole = {
      accountId,
      roleName: RoleName,
      roleId: uniqueId('AROA', context.ids.hex(24)),
      path: Path,
      arn: iamArn(accountId, 'role', Path, RoleName),
      createdAt: context.clock.now(),
      trustPolicy,
      ...(Description !== undefined && { description: Description }),
      ...(boundary !== undefined && { permissionsBoundary: boundary }),
      maxSessionSeconds: MaxSessionDuration,
      inlinePolicies: [],
      attachedPolicyArns: [],
      tags: readTags(input.Tags),
    }
    context.store.update((tx) => {
      if (tx.find('iamRole', iamKey(accountId, RoleName)))
        throw alreadyExists(`Role with name ${RoleName} already exists.`)
      tx.put('iamRole', row)
    })
    return { Role: showRole(row) }
  },
}

export const getRole: Operation<IAM.GetRoleRequest, IAM.GetRoleResponse> = {
  resources: roleOf,
  // Nobody notes when a role is used: of each it is said that it never was.
  run: (context, { RoleName }) => {
    const row = resolveEntity(context, 'iamRole', RoleName)
    return { Role: { ...showRole(row), ...showBoundary(row), RoleLastUsed: {} } }
  },
}

export const listRoles: Operation<IAM.ListRolesRequest, IAM.ListRolesResponse> = {
  resources: ({ scope }, { PathPrefix = '/' }) => [`arn:aws:iam::${scope.accountId}:role${PathPrefix}`],
  run: (context, input) => {
    const { PathPrefix = '/' } = input
    const parameters = { operation: 'ListRoles', PathPrefix }
    const { rows, more } = pageOfTable(
      context,
      'iamRole',
      input,
      parameters,
      ({ accountId, roleName }) => iamKey(accountId, roleName),
      ({ path }) => path.startsWith(PathPrefix),
    )
    return { Roles: rows.map((row) => withoutTags(showRole(row))), ...more }
  },
}

export const updateRole: Operation<IAM.UpdateRoleRequest, IAM.UpdateRoleResponse> = {
  resources: roleOf,
  run: (context, { RoleName, Description, MaxSessionDuration }) => {
    checkNames({ roleName: [RoleName, 64] }, undefined, (check) => {
      check.text('description', Description, { min: 0, max: 1000 })
      check.number('maxSessionDuration', MaxSessionDuration, sessionSeconds.min, sessionSeconds.max)
    })
    changeRole(context, RoleName, (row) => ({
      ...row,
      ...(Description !== undefined && { description: Description }),
      ...(MaxSessionDuration !== undefined && { maxSessionSeconds: MaxSessionDuration }),
    }))
    return {}
  },
}

export const updateRoleDescription: Operation<
  IAM.UpdateRoleDescriptionRequest,
  IAM.UpdateRoleDescriptionResponse
> = {
  resources: roleOf,
  run: (context, { RoleName, Description = '' }) => {
    checkNames({}, undefined, (check) => check.text('description', Description, { min: 0, max: 1000 }))
    const row = changeRole(context, RoleName, (role) => ({ ...role, description: Description }))
    return { Role: showRole(row) }
  },
}

export const updateAssumeRolePolicy: Operation<IAM.UpdateAssumeRolePolicyRequest, object> = {
  resources: roleOf,
  run: (context, { RoleName, PolicyDocument }) => {
    const trustPolicy = checkTrust(PolicyDocument)
    changeRole(context, RoleName, (row) => ({ ...row, trustPolicy }))
    return {}
  },
}

export const deleteRole: Operation<IAM.DeleteRoleRequest, object> = {
  resources: roleOf,
  run: (context, { RoleName }) => {
    context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, 'iamRole', RoleName)
      refuseProtected(row)
      const key = iamKey(row.accountId, row.roleName)
      if (tx.count('instanceProfile', 'role', key) > 0)
        throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.')
      if (row.attachedPolicyArns.length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if (row.inlinePolicies.length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      tx.delete('iamRole', key)
    })
    return {}
  },
}

export const tagRole: Operation<IAM.TagRoleRequest, object> = {
  resources: roleOf,
  run: (context, { RoleName, Tags }) => {
    changeRole(context, RoleName, (row) => ({ ...row, tags: addTags(row.tags, Tags) }))
    return {}
  },
}

export const untagRole: Operation<IAM.UntagRoleRequest, object> = {
  resources: roleOf,
  run: (context, { RoleName, TagKeys }) => {
    changeRole(context, RoleName, (row) => ({ ...row, tags: removeTags(row.tags, TagKeys) }))
    return {}
  },
}

export const listRoleTags: Operation<IAM.ListRoleTagsRequest, IAM.ListRoleTagsResponse> = {
  resources: roleOf,
  run: (context, input) => {
    const { tags, arn } = resolveEntity(context, 'iamRole', input.RoleName)
    const parameters = { operation: 'ListRoleTags', arn }
    const { rows, more } = pageOfList(context, tags, input, parameters, ({ key }) => key)
    return { Tags: showTags(rows), ...more }
  },
}

function checkTrust(text: string | undefined): string {
  const trustPolicy = checkDocument(text, parseTrustPolicy)
  if (documentSize(trustPolicy) > trustSizeMax)
    throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${trustSizeMax}`)
  return trustPolicy
}

/** Changes a role of the caller's account. Throws NoSuchEntity, and UnmodifiableEntity for roles of services. */
export function changeRole(
  context: Context,
  roleName: string | undefined,
  change: (row: IamRole) => IamRole,
): IamRole {
  return context.store.update((tx) => {
    const row = resolveEntity({ ...context, store: tx }, 'iamRole', roleName)
    refuseProtected(row)
    const changed = change(row)
    tx.put('iamRole', changed)
    return changed
  })
}

function refuseProtected({ path, roleName }: IamRole): void {
  if (path.startsWith('/aws-service-role/'))
    throw new AwsError(
      'UnmodifiableEntity',
      `Cannot perform the operation on the protected role '${roleName}' - this role is only modifiable by AWS`,
    )
}

export function showRole(row: IamRole): IAM.Role {
  return {
    Path: row.path,
    RoleName: row.roleName,
    RoleId: row.roleId,
    Arn: row.arn,
    CreateDate: new Date(row.createdAt),
    AssumeRolePolicyDocument: encodedDocument(row.trustPolicy),
    ...(row.description !== undefined && { Description: row.description }),
    MaxSessionDuration: row.maxSessionSeconds,
    ...(row.tags.length > 0 && { Tags: showTags(row.tags) }),
  }
}

/** Lists of roles have no tags: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
export function withoutTags(role: IAM.Role): IAM.Role {
  const { Tags: _, ...rest } = role
  return rest
}
