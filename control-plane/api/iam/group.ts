import type * as IAM from '@aws-sdk/client-iam'
import type { Context, Operation } from '#api/operation.ts'
import { iamArn, iamKey, type IamGroup } from '#domain/iam/entities.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import {
  alreadyExists,
  checkNames,
  deleteConflict,
  entityArn,
  limitExceeded,
  pageOfList,
  pageOfTable,
  resolveEntity,
} from './entity.ts'
import { showUser, userOf } from './user.ts'

const groupsPerUserMax = 10

type NamesGroup = { readonly GroupName: string | undefined }
const groupOf = (context: Context, { GroupName }: NamesGroup): readonly string[] => [
  entityArn(context, 'iamGroup', GroupName),
]

export const createGroup: Operation<IAM.CreateGroupRequest, IAM.CreateGroupResponse> = {
  resources: ({ scope }, { Path = '/', GroupName = '' }) => [
    iamArn(scope.accountId, 'group', Path, GroupName),
  ],
  run: (context, { Path = '/', GroupName = '' }) => {
    checkNames({ groupName: [GroupName, 128] }, Path)
    const { accountId } = context.scope
    const row: IamGroup = {
      accountId,
      groupName: GroupName,
      groupId: uniqueId('AGPA', context.ids.hex(24)),
      path: Path,
      arn: iamArn(accountId, 'group', Path, GroupName),
      createdAt: context.clock.now(),
      inlinePolicies: [],
      attachedPolicyArns: [],
    }
    context.store.update((tx) => {
      if (tx.find('iamGroup', iamKey(accountId, GroupName)))
        throw alreadyExists(`Group with name ${GroupName} already exists.`)
      tx.put('iamGroup', row)
    })
    return { Group: showGroup(row) }
  },
}

export const getGroup: Operation<IAM.GetGroupRequest, IAM.GetGroupResponse> = {
  resources: groupOf,
  run: (context, input) => {
    const row = resolveEntity(context, 'iamGroup', input.GroupName)
    const members = context.store.by('iamUser', 'group', iamKey(row.accountId, row.groupName))
    const parameters = { operation: 'GetGroup', arn: row.arn }
    const { rows, more } = pageOfList(context, members, input, parameters, ({ userName }) => userName)
    return { Group: showGroup(row), Users: rows.map(showUser), ...more }
  },
}

export const listGroups: Operation<IAM.ListGroupsRequest, IAM.ListGroupsResponse> = {
  resources: ({ scope }, { PathPrefix = '/' }) => [`arn:aws:iam::${scope.accountId}:group${PathPrefix}`],
  run: (context, input) => {
    const { PathPrefix = '/' } = input
    const { rows, more } = pageOfTable(
      context,
      'iamGroup',
      input,
      { operation: 'ListGroups', PathPrefix },
      ({ accountId, groupName }) => iamKey(accountId, groupName),
      ({ path }) => path.startsWith(PathPrefix),
    )
    return { Groups: rows.map(showGroup), ...more }
  },
}

export const deleteGroup: Operation<IAM.DeleteGroupRequest, object> = {
  resources: groupOf,
  run: (context, { GroupName }) => {
    context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, 'iamGroup', GroupName)
      const key = iamKey(row.accountId, row.groupName)
      if (tx.count('iamUser', 'group', key) > 0)
        throw deleteConflict('Cannot delete entity, must remove users from group first.')
      if (row.attachedPolicyArns.length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if (row.inlinePolicies.length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      tx.delete('iamGroup', key)
    })
    return {}
  },
}

export const addUserToGroup: Operation<IAM.AddUserToGroupRequest, object> = {
  resources: groupOf,
  run: (context, { GroupName, UserName }) => {
    context.store.update((tx) => {
      const lookup = { ...context, store: tx }
      const { groupName } = resolveEntity(lookup, 'iamGroup', GroupName)
      const user = resolveEntity(lookup, 'iamUser', UserName)
      if (user.groupNames.includes(groupName)) return
      if (user.groupNames.length >= groupsPerUserMax)
        throw limitExceeded(`Cannot exceed quota for GroupsPerUser: ${groupsPerUserMax}`)
      tx.put('iamUser', { ...user, groupNames: [...user.groupNames, groupName] })
    })
    return {}
  },
}

export const removeUserFromGroup: Operation<IAM.RemoveUserFromGroupRequest, object> = {
  resources: groupOf,
  run: (context, { GroupName, UserName }) => {
    context.store.update((tx) => {
      const lookup = { ...context, store: tx }
      const { groupName } = resolveEntity(lookup, 'iamGroup', GroupName)
      const user = resolveEntity(lookup, 'iamUser', UserName)
      tx.put('iamUser', { ...user, groupNames: user.groupNames.filter((name) => name !== groupName) })
    })
    return {}
  },
}

export const listGroupsForUser: Operation<IAM.ListGroupsForUserRequest, IAM.ListGroupsForUserResponse> = {
  resources: userOf,
  run: (context, input) => {
    const { groupNames, arn, accountId } = resolveEntity(context, 'iamUser', input.UserName)
    const groups = groupNames.flatMap((name) => context.store.find('iamGroup', iamKey(accountId, name)) ?? [])
    const parameters = { operation: 'ListGroupsForUser', arn }
    const { rows, more } = pageOfList(context, groups, input, parameters, ({ groupName }) => groupName)
    return { Groups: rows.map(showGroup), ...more }
  },
}

function showGroup(row: IamGroup): IAM.Group {
  return {
    Path: row.path,
    GroupName: row.groupName,
    GroupId: row.groupId,
    Arn: row.arn,
    CreateDate: new Date(row.createdAt),
  }
}
