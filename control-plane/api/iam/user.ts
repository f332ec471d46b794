import type * as IAM from '@aws-sdk/client-iam'
import type { Context, Operation } from '#api/operation.ts'
import { iamArn, iamKey, type IamUser } from '#domain/iam/entities.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import {
  addTags,
  alreadyExists,
  checkNames,
  deleteConflict,
  entityArn,
  noSuchEntity,
  pageOfList,
  pageOfTable,
  readTags,
  removeTags,
  resolveEntity,
  showTags,
} from './entity.ts'
import { boundaryArn, showBoundary } from './policy-lookup.ts'

type NamesUser = { readonly UserName?: string | undefined }
export const userOf = (context: Context, { UserName }: NamesUser): readonly string[] => [
  UserName === undefined ? context.caller.arn : entityArn(context, 'iamUser', UserName),
]

export const createUser: Operation<IAM.CreateUserRequest, IAM.CreateUserResponse> = {
  resources: ({ scope }, { Path = '/', UserName = '' }) => [iamArn(scope.accountId, 'user', Path, UserName)],
  run: (context, input) => {
    const { Path = '/', UserName = '' } = input
    checkNames({ userName: [UserName, 64] }, Path)
    const boundary = boundaryArn(context, input.PermissionsBoundary)
    const { accountId } = context.scope
    const row: IamUser = {
      accountId,
      userName: UserName,
      userId: uniqueId('AIDA', context.ids.hex(24)),
      path: Path,
      arn: iamArn(accountId, 'user', Path, UserName),
      createdAt: context.clock.now(),
      ...(boundary !== undefined && { permissionsBoundary: boundary }),
      inlinePolicies: [],
      attachedPolicyArns: [],
      groupNames: [],
      tags: readTags(input.Tags),
    }
    context.store.update((tx) => {
      if (tx.find('iamUser', iamKey(accountId, UserName)))
        throw alreadyExists(`User with name ${UserName} already exists.`)
      tx.put('iamUser', row)
    })
    return { User: { ...showUser(row), ...showBoundary(row) } }
  },
}

export const getUser: Operation<IAM.GetUserRequest, IAM.GetUserResponse> = {
  resources: userOf,
  run: (context, { UserName }) => {
    if (UserName === undefined && context.caller.arn.endsWith(':root')) return { User: showRoot(context) }
    const row = resolveEntity(context, 'iamUser', UserName ?? callersName(context))
    return { User: { ...showUser(row), ...showBoundary(row) } }
  },
}

/** The user who asks, where a request names none. Throws ValidationError for sessions and root. */
export function callersName({ caller }: Context): string {
  const match = /:user\/(?:.*\/)?([^/]+)$/.exec(caller.arn)
  if (match?.[1] !== undefined) return match[1]
  throw noSuchEntity('Must specify userName when calling with non-User credentials')
}

export const listUsers: Operation<IAM.ListUsersRequest, IAM.ListUsersResponse> = {
  resources: ({ scope }, { PathPrefix = '/' }) => [`arn:aws:iam::${scope.accountId}:user${PathPrefix}`],
  run: (context, input) => {
    const { PathPrefix = '/' } = input
    const { rows, more } = pageOfTable(
      context,
      'iamUser',
      input,
      { operation: 'ListUsers', PathPrefix },
      ({ accountId, userName }) => iamKey(accountId, userName),
      ({ path }) => path.startsWith(PathPrefix),
    )
    return { Users: rows.map((row) => ({ ...showUser(row), Tags: undefined })), ...more }
  },
}

export const updateUser: Operation<IAM.UpdateUserRequest, object> = {
  resources: userOf,
  run: (context, { UserName, NewPath, NewUserName }) => {
    checkNames({ newUserName: [NewUserName, 64] }, NewPath)
    const { accountId } = context.scope
    context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, 'iamUser', UserName)
      const userName = NewUserName ?? row.userName
      const path = NewPath ?? row.path
      const arn = iamArn(accountId, 'user', path, userName)
      const [from, to] = [iamKey(accountId, row.userName), iamKey(accountId, userName)]
      if (from !== to && tx.find('iamUser', to))
        throw alreadyExists(`User with name ${userName} already exists.`)
      for (const key of tx.by('accessKey', 'principal', row.arn))
        tx.put('accessKey', { ...key, principalArn: arn, userName })
      if (from !== to) tx.delete('iamUser', from)
      tx.put('iamUser', { ...row, userName, path, arn })
    })
    return {}
  },
}

export const deleteUser: Operation<IAM.DeleteUserRequest, object> = {
  resources: userOf,
  run: (context, { UserName }) => {
    context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, 'iamUser', UserName)
      if (tx.count('accessKey', 'principal', row.arn) > 0)
        throw deleteConflict('Cannot delete entity, must delete access keys first.')
      if (row.groupNames.length > 0)
        throw deleteConflict('Cannot delete entity, must remove users from group first.')
      if (row.attachedPolicyArns.length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if (row.inlinePolicies.length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      tx.delete('iamUser', iamKey(row.accountId, row.userName))
    })
    return {}
  },
}

export const tagUser: Operation<IAM.TagUserRequest, object> = {
  resources: userOf,
  run: (context, { UserName, Tags }) => {
    changeUser(context, UserName, (row) => ({ ...row, tags: addTags(row.tags, Tags) }))
    return {}
  },
}

export const untagUser: Operation<IAM.UntagUserRequest, object> = {
  resources: userOf,
  run: (context, { UserName, TagKeys }) => {
    changeUser(context, UserName, (row) => ({ ...row, tags: removeTags(row.tags, TagKeys) }))
    return {}
  },
}

export const listUserTags: Operation<IAM.ListUserTagsRequest, IAM.ListUserTagsResponse> = {
  resources: userOf,
  run: (context, input) => {
    const { tags, arn } = resolveEntity(context, 'iamUser', input.UserName)
    const parameters = { operation: 'ListUserTags', arn }
    const { rows, more } = pageOfList(context, tags, input, parameters, ({ key }) => key)
    return { Tags: showTags(rows), ...more }
  },
}

/** Changes a user of the caller's account. Throws NoSuchEntity. */
export function changeUser(
  context: Context,
  userName: string | undefined,
  change: (row: IamUser) => IamUser,
): void {
  context.store.update((tx) => {
    tx.put('iamUser', change(resolveEntity({ ...context, store: tx }, 'iamUser', userName)))
  })
}

export function showUser(row: IamUser): IAM.User {
  return {
    Path: row.path,
    UserName: row.userName,
    UserId: row.userId,
    Arn: row.arn,
    CreateDate: new Date(row.createdAt),
    ...(row.tags.length > 0 && { Tags: showTags(row.tags) }),
  }
}

/** The root user, who is no row. AWS gives it the account's number for an id and no path. */
function showRoot({ caller }: Context): IAM.User {
  return {
    UserId: caller.accountId,
    Arn: caller.arn,
    CreateDate: new Date(0),
    UserName: undefined,
    Path: undefined,
  }
}
