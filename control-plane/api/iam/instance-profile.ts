import type * as IAM from '@aws-sdk/client-iam'
import type { Context, Operation } from '#api/operation.ts'
import { iamArn, iamKey, type InstanceProfile } from '#domain/iam/entities.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import type { View } from '#state/store.ts'
import {
  addTags,
  alreadyExists,
  checkNames,
  deleteConflict,
  entityArn,
  limitExceeded,
  noSuchEntity,
  pageOfList,
  pageOfTable,
  readTags,
  removeTags,
  resolveEntity,
  showTags,
} from './entity.ts'
import { showRole, withoutTags } from './role.ts'

type NamesProfile = { readonly InstanceProfileName: string | undefined }
const profileOf = ({ store, scope }: Context, { InstanceProfileName }: NamesProfile): readonly string[] => [
  store.find('instanceProfile', iamKey(scope.accountId, InstanceProfileName ?? ''))?.arn ??
    `arn:aws:iam::${scope.accountId}:instance-profile/${InstanceProfileName}`,
]

function resolveProfile(
  view: Pick<View, 'find'>,
  accountId: string,
  name: string | undefined,
): InstanceProfile {
  const row = view.find('instanceProfile', iamKey(accountId, name ?? ''))
  if (!row) throw noSuchEntity(`Instance Profile ${name} cannot be found.`)
  return row
}

function changeProfile(
  context: Context,
  name: string | undefined,
  change: (row: InstanceProfile, tx: Pick<View, 'find'>) => InstanceProfile,
): void {
  context.store.update((tx) =>
    tx.put('instanceProfile', change(resolveProfile(tx, context.scope.accountId, name), tx)),
  )
}

export const createInstanceProfile: Operation<
  IAM.CreateInstanceProfileRequest,
  IAM.CreateInstanceProfileResponse
> = {
  resources: ({ scope }, { Path = '/', InstanceProfileName = '' }) => [
    iamArn(scope.accountId, 'instance-profile', Path, InstanceProfileName),
  ],
  run: (context, { Path = '/', InstanceProfileName = '', Tags }) => {
    checkNames({ instanceProfileName: [InstanceProfileName, 128] }, Path)
    const { accountId } = context.scope
    const row: InstanceProfile = {
      accountId,
      instanceProfileName: InstanceProfileName,
      instanceProfileId: uniqueId('AIPA', context.ids.hex(24)),
      path: Path,
      arn: iamArn(accountId, 'instance-profile', Path, InstanceProfileName),
      createdAt: context.clock.now(),
      tags: readTags(Tags),
    }
    context.store.update((tx) => {
      if (tx.find('instanceProfile', iamKey(accountId, InstanceProfileName)))
        throw alreadyExists(`Instance Profile ${InstanceProfileName} already exists.`)
      tx.put('instanceProfile', row)
    })
    return { InstanceProfile: showProfile(context.store, row) }
  },
}

export const getInstanceProfile: Operation<IAM.GetInstanceProfileRequest, IAM.GetInstanceProfileResponse> = {
  resources: profileOf,
  run: ({ store, scope }, { InstanceProfileName }) => ({
    InstanceProfile: showProfile(store, resolveProfile(store, scope.accountId, InstanceProfileName)),
  }),
}

export const listInstanceProfiles: Operation<
  IAM.ListInstanceProfilesRequest,
  IAM.ListInstanceProfilesResponse
> = {
  resources: ({ scope }, { PathPrefix = '/' }) => [
    `arn:aws:iam::${scope.accountId}:instance-profile${PathPrefix}`,
  ],
  run: (context, input) => {
    const { PathPrefix = '/' } = input
    const { rows, more } = pageOfTable(
      context,
      'instanceProfile',
      input,
      { operation: 'ListInstanceProfiles', PathPrefix },
      ({ accountId, instanceProfileName }) => iamKey(accountId, instanceProfileName),
      ({ path }) => path.startsWith(PathPrefix),
    )
    return {
      InstanceProfiles: rows.map((row) => ({ ...showProfile(context.store, row), Tags: undefined })),
      ...more,
    }
  },
}

export const listInstanceProfilesForRole: Operation<
  IAM.ListInstanceProfilesForRoleRequest,
  IAM.ListInstanceProfilesForRoleResponse
> = {
  resources: (context, { RoleName }) => [entityArn(context, 'iamRole', RoleName)],
  run: (context, input) => {
    const { accountId, roleName, arn } = resolveEntity(context, 'iamRole', input.RoleName)
    const profiles = context.store.by('instanceProfile', 'role', iamKey(accountId, roleName))
    const parameters = { operation: 'ListInstanceProfilesForRole', arn }
    const { rows, more } = pageOfList(context, profiles, input, parameters, (row) => row.instanceProfileName)
    return {
      InstanceProfiles: rows.map((row) => ({ ...showProfile(context.store, row), Tags: undefined })),
      ...more,
    }
  },
}

export const deleteInstanceProfile: Operation<IAM.DeleteInstanceProfileRequest, object> = {
  resources: profileOf,
  run: ({ store, scope: { accountId } }, { InstanceProfileName }) => {
    store.update((tx) => {
      const row = resolveProfile(tx, accountId, InstanceProfileName)
      if (row.roleName !== undefined)
        throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.')
      tx.delete('instanceProfile', iamKey(accountId, row.instanceProfileName))
    })
    return {}
  },
}

export const addRoleToInstanceProfile: Operation<IAM.AddRoleToInstanceProfileRequest, object> = {
  resources: profileOf,
  run: (context, { InstanceProfileName, RoleName }) => {
    changeProfile(context, InstanceProfileName, (row, tx) => {
      const { roleName } = resolveEntity({ ...context, store: tx }, 'iamRole', RoleName)
      if (row.roleName !== undefined)
        throw limitExceeded('Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1')
      return { ...row, roleName }
    })
    return {}
  },
}

export const removeRoleFromInstanceProfile: Operation<IAM.RemoveRoleFromInstanceProfileRequest, object> = {
  resources: profileOf,
  run: (context, { InstanceProfileName, RoleName }) => {
    changeProfile(context, InstanceProfileName, (row, tx) => {
      const { roleName } = resolveEntity({ ...context, store: tx }, 'iamRole', RoleName)
      const { roleName: held, ...rest } = row
      if (held !== roleName) throw noSuchEntity(`The role with name ${RoleName} cannot be found.`)
      return rest
    })
    return {}
  },
}

export const tagInstanceProfile: Operation<IAM.TagInstanceProfileRequest, object> = {
  resources: profileOf,
  run: (context, { InstanceProfileName, Tags }) => {
    changeProfile(context, InstanceProfileName, (row) => ({ ...row, tags: addTags(row.tags, Tags) }))
    return {}
  },
}

export const untagInstanceProfile: Operation<IAM.UntagInstanceProfileRequest, object> = {
  resources: profileOf,
  run: (context, { InstanceProfileName, TagKeys }) => {
    changeProfile(context, InstanceProfileName, (row) => ({ ...row, tags: removeTags(row.tags, TagKeys) }))
    return {}
  },
}

export const listInstanceProfileTags: Operation<
  IAM.ListInstanceProfileTagsRequest,
  IAM.ListInstanceProfileTagsResponse
> = {
  resources: profileOf,
  run: (context, input) => {
    const row = resolveProfile(context.store, context.scope.accountId, input.InstanceProfileName)
    const parameters = { operation: 'ListInstanceProfileTags', arn: row.arn }
    const { rows, more } = pageOfList(context, row.tags, input, parameters, ({ key }) => key)
    return { Tags: showTags(rows), ...more }
  },
}

function showProfile(view: Pick<View, 'find'>, row: InstanceProfile): IAM.InstanceProfile {
  const role =
    row.roleName === undefined ? undefined : view.find('iamRole', iamKey(row.accountId, row.roleName))
  return {
    Path: row.path,
    InstanceProfileName: row.instanceProfileName,
    InstanceProfileId: row.instanceProfileId,
    Arn: row.arn,
    CreateDate: new Date(row.createdAt),
    Roles: role ? [withoutTags(showRole(role))] : [],
    ...(row.tags.length > 0 && { Tags: showTags(row.tags) }),
  }
}
