import type * as IAM from '@aws-sdk/client-iam'
import type { Operation } from '#api/operation.ts'
import { entityArn, resolveEntity } from './entity.ts'
import { boundaryArn } from './policy-lookup.ts'
import { changeRole } from './role.ts'
import { changeUser } from './user.ts'

export const putRolePermissionsBoundary: Operation<IAM.PutRolePermissionsBoundaryRequest, object> = {
  resources: (context, { RoleName }) => [entityArn(context, 'iamRole', RoleName)],
  run: (context, { RoleName, PermissionsBoundary }) => {
    resolveEntity(context, 'iamRole', RoleName)
    const permissionsBoundary = boundaryArn(context, PermissionsBoundary) ?? ''
    changeRole(context, RoleName, (row) => ({ ...row, permissionsBoundary }))
    return {}
  },
}

export const deleteRolePermissionsBoundary: Operation<IAM.DeleteRolePermissionsBoundaryRequest, object> = {
  resources: (context, { RoleName }) => [entityArn(context, 'iamRole', RoleName)],
  run: (context, { RoleName }) => {
    changeRole(context, RoleName, withoutBoundary)
    return {}
  },
}

export const putUserPermissionsBoundary: Operation<IAM.PutUserPermissionsBoundaryRequest, object> = {
  resources: (context, { UserName }) => [entityArn(context, 'iamUser', UserName)],
  run: (context, { UserName, PermissionsBoundary }) => {
    resolveEntity(context, 'iamUser', UserName)
    const permissionsBoundary = boundaryArn(context, PermissionsBoundary) ?? ''
    changeUser(context, UserName, (row) => ({ ...row, permissionsBoundary }))
    return {}
  },
}

export const deleteUserPermissionsBoundary: Operation<IAM.DeleteUserPermissionsBoundaryRequest, object> = {
  resources: (context, { UserName }) => [entityArn(context, 'iamUser', UserName)],
  run: (context, { UserName }) => {
    changeUser(context, UserName, withoutBoundary)
    return {}
  },
}

function withoutBoundary<Row extends { readonly permissionsBoundary?: string }>(row: Row): Row {
  const { permissionsBoundary: _, ...rest } = row
  // All that it lacks is optional.
  return rest as Row
}
