/** Policies in users, groups and roles, and attached to them: the same eighteen operations for each. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Context, Operation } from '#api/operation.ts'
import type { PolicyHolder } from '#domain/iam/entities.ts'
import { parseIdentityPolicy } from '#domain/iam/policy-document.ts'
import type { Tables } from '#state/tables.ts'
import {
  checkDocument,
  checkNames,
  documentSize,
  encodedDocument,
  entityArn,
  limitExceeded,
  noSuchEntity,
  nouns,
  type PageInput,
  pageOfList,
  resolveEntity,
} from './entity.ts'
import { checkPolicyArn, findPolicy } from './policy-lookup.ts'

type HolderTable = keyof typeof nouns
interface Kind<Name extends string> {
  readonly table: HolderTable
  /** The member that names it: `RoleName`. */
  readonly member: Name
  /** How large its inline policies may be together. */
  readonly sizeMax: number
}
type Naming<Name extends string> = Readonly<Partial<Record<Name, string | undefined>>>

const attachedMax = 10

type Inline<Name extends string> = Naming<Name> & { readonly PolicyName: string | undefined }
type Attaching<Name extends string> = Naming<Name> & { readonly PolicyArn: string | undefined }
type Listing<Name extends string> = Naming<Name> & PageInput

/** What the operations of one kind of holder share. */
function holder<Name extends string>(kind: Kind<Name>) {
  const { table, member } = kind
  const noun = nouns[table]
  const upper = noun.charAt(0).toUpperCase() + noun.slice(1)
  const resources = (context: Context, input: Naming<Name>): readonly string[] => [
    entityArn(context, table, input[member]),
  ]
  const find = (context: Context, input: Naming<Name>): PolicyHolder =>
    resolveEntity(context, table, input[member])
  const change = (
    context: Context,
    input: Naming<Name>,
    alter: (row: PolicyHolder) => Partial<PolicyHolder>,
  ): void =>
    context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, table, input[member])
      tx.put(table, { ...row, ...alter(row) })
    })
  return { noun, upper, resources, find, change }
}

/** The operations on policies in a holder. */
function inlinePolicies<Name extends string>(kind: Kind<Name>) {
  const { member, sizeMax } = kind
  const { noun, resources, find, change } = holder(kind)
  const noSuchPolicy = (name: string | undefined): Error =>
    noSuchEntity(`The ${noun} policy with name ${name} cannot be found.`)
  const put: Operation<Inline<Name> & { readonly PolicyDocument: string | undefined }, object> = {
    resources,
    run: (context, input) => {
      const { PolicyName = '', PolicyDocument } = input
      checkNames({ policyName: [PolicyName, 128] })
      const document = checkDocument(PolicyDocument, parseIdentityPolicy)
      change(context, input, (row) => {
        const others = row.inlinePolicies.filter(({ policyName }) => policyName !== PolicyName)
        const inlinePolicies = [...others, { policyName: PolicyName, document }]
        const size = inlinePolicies.reduce((sum, each) => sum + documentSize(each.document), 0)
        if (size > sizeMax)
          throw limitExceeded(`Maximum policy size of ${sizeMax} bytes exceeded for ${noun} ${input[member]}`)
        return { inlinePolicies }
      })
      return {}
    },
  }
  const get: Operation<Inline<Name>, { PolicyName: string; PolicyDocument: string; name: string }> = {
    resources,
    run: (context, input) => {
      const { PolicyName } = input
      const found = find(context, input).inlinePolicies.find(({ policyName }) => policyName === PolicyName)
      if (!found) throw noSuchPolicy(PolicyName)
      return {
        PolicyName: found.policyName,
        PolicyDocument: encodedDocument(found.document),
        name: input[member] ?? '',
      }
    },
  }
  const remove: Operation<Inline<Name>, object> = {
    resources,
    run: (context, input) => {
      change(context, input, (row) => {
        const inlinePolicies = row.inlinePolicies.filter(({ policyName }) => policyName !== input.PolicyName)
        if (inlinePolicies.length === row.inlinePolicies.length) throw noSuchPolicy(input.PolicyName)
        return { inlinePolicies }
      })
      return {}
    },
  }
  return { put, get, remove }
}

/** The operation that lists them. */
function listInline<Name extends string>(kind: Kind<Name>) {
  const { upper, resources, find } = holder(kind)
  const list: Operation<Listing<Name>, { PolicyNames: string[]; IsTruncated: boolean; Marker?: string }> = {
    resources,
    run: (context, input) => {
      const { arn, inlinePolicies } = find(context, input)
      const names = inlinePolicies.map(({ policyName }) => policyName)
      const parameters = { operation: `List${upper}Policies`, arn }
      const { rows, more } = pageOfList(context, names, input, parameters, (name) => name)
      return { PolicyNames: [...rows], ...more }
    },
  }
  return { list }
}

/** The operations on policies attached to a holder. */
function attachedPolicies<Name extends string>(kind: Kind<Name>) {
  const { upper, resources, find, change } = holder(kind)
  const attach: Operation<Attaching<Name>, object> = {
    resources,
    run: (context, input) => {
      const arn = checkPolicyArn(input.PolicyArn)
      change(context, input, (row) => {
        if (!findPolicy(context.store, arn))
          throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`)
        if (row.attachedPolicyArns.includes(arn)) return {}
        if (row.attachedPolicyArns.length >= attachedMax)
          throw limitExceeded(`Cannot exceed quota for PoliciesPer${upper}: ${attachedMax}`)
        return { attachedPolicyArns: [...row.attachedPolicyArns, arn] }
      })
      return {}
    },
  }
  const detach: Operation<Attaching<Name>, object> = {
    resources,
    run: (context, input) => {
      const arn = checkPolicyArn(input.PolicyArn)
      change(context, input, (row) => {
        if (!row.attachedPolicyArns.includes(arn)) throw noSuchEntity(`Policy ${arn} was not found.`)
        return { attachedPolicyArns: row.attachedPolicyArns.filter((each) => each !== arn) }
      })
      return {}
    },
  }
  const listAttached: Operation<
    Listing<Name> & { readonly PathPrefix?: string | undefined },
    { AttachedPolicies: IAM.AttachedPolicy[]; IsTruncated: boolean; Marker?: string }
  > = {
    resources,
    run: (context, input) => {
      const { PathPrefix = '/' } = input
      const { arn, attachedPolicyArns } = find(context, input)
      const policies = attachedPolicyArns
        .flatMap((each) => findPolicy(context.store, each) ?? [])
        .filter(({ path }) => path.startsWith(PathPrefix))
      const parameters = { operation: `ListAttached${upper}Policies`, arn, PathPrefix }
      const { rows, more } = pageOfList(context, policies, input, parameters, (each) => each.arn)
      return {
        AttachedPolicies: rows.map((each) => ({ PolicyName: each.policyName, PolicyArn: each.arn })),
        ...more,
      }
    },
  }
  return { attach, detach, listAttached }
}

const heldPolicies = <Name extends string>(kind: Kind<Name>) => ({
  ...inlinePolicies(kind),
  ...listInline(kind),
  ...attachedPolicies(kind),
})

export const rolePolicies = heldPolicies({ table: 'iamRole', member: 'RoleName', sizeMax: 10_240 })
export const userPolicies = heldPolicies({ table: 'iamUser', member: 'UserName', sizeMax: 2048 })
export const groupPolicies = heldPolicies({ table: 'iamGroup', member: 'GroupName', sizeMax: 5120 })

/** The answers of Get…Policy name the holder by a member of its own. */
export const getRolePolicy: Operation<IAM.GetRolePolicyRequest, IAM.GetRolePolicyResponse> = {
  resources: rolePolicies.get.resources,
  run: (context, input) => {
    const { name, ...policy } = rolePolicies.get.run(context, input)
    return { RoleName: name, ...policy }
  },
}
export const getUserPolicy: Operation<IAM.GetUserPolicyRequest, IAM.GetUserPolicyResponse> = {
  resources: userPolicies.get.resources,
  run: (context, input) => {
    const { name, ...policy } = userPolicies.get.run(context, input)
    return { UserName: name, ...policy }
  },
}
export const getGroupPolicy: Operation<IAM.GetGroupPolicyRequest, IAM.GetGroupPolicyResponse> = {
  resources: groupPolicies.get.resources,
  run: (context, input) => {
    const { name, ...policy } = groupPolicies.get.run(context, input)
    return { GroupName: name, ...policy }
  },
}

const entityFilters = ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy']

export const listEntitiesForPolicy: Operation<
  IAM.ListEntitiesForPolicyRequest,
  IAM.ListEntitiesForPolicyResponse
> = {
  resources: (_, { PolicyArn }) => [PolicyArn ?? '*'],
  run: (context, input) => {
    const arn = checkPolicyArn(input.PolicyArn)
    const { EntityFilter: filter, PathPrefix = '/', PolicyUsageFilter: usage } = input
    if (!findPolicy(context.store, arn)) throw noSuchEntity(`Policy ${arn} was not found.`)
    checkNames({}, undefined, (check) => {
      check.oneOf('entityFilter', filter, entityFilters)
      check.oneOf('policyUsageFilter', usage, ['PermissionsPolicy', 'PermissionsBoundary'])
    })
    const { store, scope } = context
    const attached = usage !== 'PermissionsBoundary'
    const boundary = usage !== 'PermissionsPolicy'
    const using = <T extends 'iamRole' | 'iamUser'>(table: T): readonly Tables[T][] => [
      ...new Set([
        ...(attached ? store.by(table, 'attachedPolicy', arn) : []),
        ...(boundary ? store.by(table, 'boundary', arn) : []),
      ]),
    ]
    const groups = attached ? store.by('iamGroup', 'attachedPolicy', arn) : []
    const all = [
      ...groups.map((row) => ({ type: 'Group', row, name: row.groupName, id: row.groupId })),
      ...using('iamRole').map((row) => ({ type: 'Role', row, name: row.roleName, id: row.roleId })),
      ...using('iamUser').map((row) => ({ type: 'User', row, name: row.userName, id: row.userId })),
    ].filter(
      ({ type, row }) =>
        row.accountId === scope.accountId &&
        row.path.startsWith(PathPrefix) &&
        (filter === undefined || filter === type),
    )
    const parameters = { operation: 'ListEntitiesForPolicy', arn, filter, PathPrefix, usage }
    const { rows, more } = pageOfList(context, all, input, parameters, ({ row }) => row.arn)
    const of = (type: string): typeof rows => rows.filter((each) => each.type === type)
    return {
      PolicyGroups: of('Group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyRoles: of('Role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      PolicyUsers: of('User').map(({ name, id }) => ({ UserName: name, UserId: id })),
      ...more,
    }
  },
}
