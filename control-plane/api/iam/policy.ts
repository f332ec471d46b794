import type * as IAM from '@aws-sdk/client-iam'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { iamArn, iamKey, type IamPolicy } from '#domain/iam/entities.ts'
import { type ManagedPolicy, managedPolicies } from '#domain/iam/managed-policies.ts'
import { parseIdentityPolicy } from '#domain/iam/policy-document.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import type { View } from '#state/store.ts'
import {
  addTags,
  alreadyExists,
  checkDocument,
  checkNames,
  deleteConflict,
  documentSize,
  encodedDocument,
  limitExceeded,
  noSuchEntity,
  pageOfList,
  readTags,
  removeTags,
  showTags,
} from './entity.ts'
import { checkPolicyArn, findCustomerPolicy, findPolicy } from './policy-lookup.ts'

const policySizeMax = 6144
export const versionsMax = 5

type NamesPolicy = { readonly PolicyArn: string | undefined }
const policyOf = (_: Context, { PolicyArn }: NamesPolicy): readonly string[] => [PolicyArn ?? '*']

export const createPolicy: Operation<IAM.CreatePolicyRequest, IAM.CreatePolicyResponse> = {
  resources: ({ scope }, { Path = '/', PolicyName = '' }) => [
    iamArn(scope.accountId, 'policy', Path, PolicyName),
  ],
  run: (context, input) => {
    const { Path = '/', PolicyName = '', Description } = input
    checkNames({ policyName: [PolicyName, 128] }, Path, (check) =>
      check.text('description', Description, { min: 0, max: 1000 }),
    )
    const document = checkPolicy(input.PolicyDocument)
    const { accountId } = context.scope
    const now = context.clock.now()
    const row: IamPolicy = {
      accountId,
      policyName: PolicyName,
      policyId: uniqueId('ANPA', context.ids.hex(24)),
      path: Path,
      arn: iamArn(accountId, 'policy', Path, PolicyName),
      createdAt: now,
      updatedAt: now,
      ...(Description !== undefined && { description: Description }),
      defaultVersionId: 'v1',
      versions: [{ versionId: 'v1', document, createdAt: now }],
      versionsMade: 1,
      tags: readTags(input.Tags),
    }
    context.store.update((tx) => {
      if (tx.find('iamPolicy', iamKey(accountId, PolicyName)))
        throw alreadyExists(`A policy called ${PolicyName} already exists. Duplicate names are not allowed.`)
      tx.put('iamPolicy', row)
    })
    return { Policy: showPolicy(context.store, row) }
  },
}

export const getPolicy: Operation<IAM.GetPolicyRequest, IAM.GetPolicyResponse> = {
  resources: policyOf,
  run: (context, { PolicyArn }) => {
    const row = resolvePolicy(context.store, PolicyArn)
    const { description } = row
    return {
      Policy: {
        ...showPolicy(context.store, row),
        ...(description !== undefined && { Description: description }),
        Tags: showTags('tags' in row ? row.tags : []),
      },
    }
  },
}

export const listPolicies: Operation<IAM.ListPoliciesRequest, IAM.ListPoliciesResponse> = {
  resources: ({ scope }, { PathPrefix = '/' }) => [`arn:aws:iam::${scope.accountId}:policy${PathPrefix}`],
  run: (context, input) => {
    const { Scope = 'All', OnlyAttached = false, PathPrefix = '/', PolicyUsageFilter } = input
    checkNames({}, undefined, (check) => {
      check.oneOf('scope', Scope, ['All', 'AWS', 'Local'])
      check.oneOf('policyUsageFilter', PolicyUsageFilter, ['PermissionsPolicy', 'PermissionsBoundary'])
    })
    const own = Scope === 'AWS' ? [] : context.store.by('iamPolicy', 'account', context.scope.accountId)
    const aws = Scope === 'Local' ? [] : [...managedPolicies.values()]
    const all = [...own, ...aws]
      .filter(({ path }) => path.startsWith(PathPrefix))
      .filter(({ arn }) => !OnlyAttached || attachments(context.store, arn, context.scope.accountId) > 0)
      .filter(({ arn }) => PolicyUsageFilter === undefined || isUsed(context.store, arn, PolicyUsageFilter))
    const parameters = { operation: 'ListPolicies', Scope, OnlyAttached, PathPrefix, PolicyUsageFilter }
    const { rows, more } = pageOfList(context, all, input, parameters, ({ arn }) => arn)
    return { Policies: rows.map((row) => ({ ...showPolicy(context.store, row), Tags: undefined })), ...more }
  },
}

export const deletePolicy: Operation<IAM.DeletePolicyRequest, object> = {
  resources: policyOf,
  run: (context, { PolicyArn }) => {
    context.store.update((tx) => {
      const row = resolveOwn(tx, PolicyArn)
      if (attachments(tx, row.arn) > 0 || boundaries(tx, row.arn) > 0)
        throw deleteConflict('Cannot delete a policy attached to entities.')
      if (row.versions.length > 1)
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        )
      tx.delete('iamPolicy', iamKey(row.accountId, row.policyName))
    })
    return {}
  },
}

export const tagPolicy: Operation<IAM.TagPolicyRequest, object> = {
  resources: policyOf,
  run: (context, { PolicyArn, Tags }) => {
    changePolicy(context, PolicyArn, (row) => ({ ...row, tags: addTags(row.tags, Tags) }))
    return {}
  },
}

export const untagPolicy: Operation<IAM.UntagPolicyRequest, object> = {
  resources: policyOf,
  run: (context, { PolicyArn, TagKeys }) => {
    changePolicy(context, PolicyArn, (row) => ({ ...row, tags: removeTags(row.tags, TagKeys) }))
    return {}
  },
}

export const listPolicyTags: Operation<IAM.ListPolicyTagsRequest, IAM.ListPolicyTagsResponse> = {
  resources: policyOf,
  run: (context, input) => {
    const row = resolvePolicy(context.store, input.PolicyArn)
    const parameters = { operation: 'ListPolicyTags', arn: row.arn }
    const tags = 'tags' in row ? row.tags : []
    const { rows, more } = pageOfList(context, tags, input, parameters, ({ key }) => key)
    return { Tags: showTags(rows), ...more }
  },
}

/** Checks an identity's managed policy. Throws MalformedPolicyDocument and LimitExceeded. */
export function checkPolicy(text: string | undefined): string {
  const document = checkDocument(text, parseIdentityPolicy)
  if (documentSize(document) > policySizeMax)
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${policySizeMax}`)
  return document
}

/** Throws NoSuchEntity, and InvalidInput for what is no ARN of a policy. */
export function resolvePolicy(
  view: Pick<View, 'find'>,
  policyArn: string | undefined,
): ManagedPolicy | IamPolicy {
  const arn = checkPolicyArn(policyArn)
  const row = findPolicy(view, arn)
  if (!row) throw noSuchEntity(`Policy ${arn} was not found.`)
  return row
}

/** A policy that can be changed: AWS's own cannot. */
function resolveOwn(view: Pick<View, 'find'>, policyArn: string | undefined): IamPolicy {
  const arn = checkPolicyArn(policyArn)
  if (managedPolicies.has(arn))
    throw new AwsError('AccessDenied', `User is not authorized to change ${arn}: it is AWS's own.`, 403)
  const row = findCustomerPolicy(view, arn)
  if (!row) throw noSuchEntity(`Policy ${arn} was not found.`)
  return row
}

export function changePolicy(
  context: Context,
  policyArn: string | undefined,
  change: (row: IamPolicy) => IamPolicy,
): IamPolicy {
  return context.store.update((tx) => {
    const changed = change(resolveOwn(tx, policyArn))
    tx.put('iamPolicy', changed)
    return changed
  })
}

type Counting = Pick<View, 'by' | 'count'>

/** By how many users, groups and roles a policy is attached; of AWS's own, of the account given. */
function attachments(view: Counting, arn: string, accountId?: string): number {
  const tables = ['iamUser', 'iamGroup', 'iamRole'] as const
  if (accountId === undefined)
    return tables.reduce((sum, table) => sum + view.count(table, 'attachedPolicy', arn), 0)
  return tables
    .flatMap((table) => view.by(table, 'attachedPolicy', arn))
    .filter((row) => row.accountId === accountId).length
}

const boundaries = (view: Counting, arn: string): number =>
  view.count('iamUser', 'boundary', arn) + view.count('iamRole', 'boundary', arn)

function isUsed(view: Counting, arn: string, filter: string): boolean {
  return (filter === 'PermissionsBoundary' ? boundaries(view, arn) : attachments(view, arn)) > 0
}

function showPolicy(view: Counting, row: ManagedPolicy | IamPolicy): IAM.Policy {
  return {
    PolicyName: row.policyName,
    PolicyId: row.policyId,
    Arn: row.arn,
    Path: row.path,
    DefaultVersionId: 'versions' in row ? row.defaultVersionId : row.versionId,
    AttachmentCount: attachments(view, row.arn),
    PermissionsBoundaryUsageCount: boundaries(view, row.arn),
    IsAttachable: true,
    CreateDate: new Date(row.createdAt),
    UpdateDate: new Date(row.updatedAt),
    ...('tags' in row && row.tags.length > 0 && { Tags: showTags(row.tags) }),
  }
}

export function showVersion(
  row: ManagedPolicy | IamPolicy,
  versionId: string | undefined,
  full: boolean,
): IAM.PolicyVersion {
  const isCustomers = 'versions' in row
  const version = isCustomers
    ? row.versions.find((each) => each.versionId === versionId)
    : versionId === row.versionId
      ? row
      : undefined
  if (!version)
    throw noSuchEntity(`Policy ${row.arn} version ${versionId} does not exist or is not attachable.`)
  return {
    ...(full && { Document: encodedDocument(version.document) }),
    VersionId: version.versionId,
    IsDefaultVersion: version.versionId === (isCustomers ? row.defaultVersionId : row.versionId),
    CreateDate: new Date(version.createdAt),
  }
}
