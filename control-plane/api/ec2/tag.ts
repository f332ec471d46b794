import type {
  CreateTagsCommandInput,
  DeleteTagsCommandInput,
  DescribeTagsCommandInput,
  DescribeTagsCommandOutput,
  ResourceType,
  Tag,
  TagSpecification,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { formatArn, type Scope, scopeKey } from '#domain/arn.ts'
import { rulesOfGroup } from '#domain/security-group.ts'
import type { ResourceTag } from '#domain/tags.ts'
import type { Transaction, View } from '#state/store.ts'
import { filtered, paged, refuseDryRun } from './list.ts'

const tagsMax = 50
const resourceTypes = {
  i: 'instance',
  vpc: 'vpc',
  subnet: 'subnet',
  sg: 'security-group',
  eni: 'network-interface',
  sgr: 'security-group-rule',
  igw: 'internet-gateway',
  rtb: 'route-table',
} as const
export type TaggedType = (typeof resourceTypes)[keyof typeof resourceTypes]

/** The ARN under which tags of an EC2 resource are kept. */
export function ec2Arn(scope: Scope, type: TaggedType, id: string): string {
  return formatArn(scope, 'ec2', `${type}/${id}`)
}

export function tagsOf(view: View, scope: Scope, type: TaggedType, id: string): readonly ResourceTag[] {
  return view.find('resourceTags', ec2Arn(scope, type, id))?.tags ?? []
}

export function showTags(tags: readonly ResourceTag[]): Tag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}

/** Sets tags beside those there are. Throws when a key is AWS's, or there would be more than 50. */
export function putTags(tx: Transaction, resourceArn: string, tags: readonly Tag[]): void {
  const all = new Map(
    (tx.find('resourceTags', resourceArn)?.tags ?? []).map(({ key, value }) => [key, value]),
  )
  for (const { Key: key = '', Value: value = '' } of tags) {
    if (key === '') throw new AwsError('MissingParameter', 'The request must contain the parameter Tag.Key')
    if (key.toLowerCase().startsWith('aws:'))
      throw new AwsError(
        'InvalidParameterValue',
        "Tag keys starting with 'aws:' are reserved for internal use",
      )
    if (key.length > 127)
      throw new AwsError('InvalidParameterValue', 'Tag key exceeds the maximum length of 127 characters')
    if (value.length > 255)
      throw new AwsError('InvalidParameterValue', 'Tag value exceeds the maximum length of 255 characters')
    all.set(key, value)
  }
  if (all.size > tagsMax)
    throw new AwsError('TagLimitExceeded', `The maximum number of Tags for a resource has been reached.`)
  if (all.size > 0)
    tx.put('resourceTags', { resourceArn, tags: [...all].map(([key, value]) => ({ key, value })) })
}

export function createTags(context: Context, input: CreateTagsCommandInput): Record<string, never> {
  refuseDryRun(input)
  const tags = input.Tags ?? []
  if (tags.length === 0)
    throw new AwsError('MissingParameter', 'The request must contain the parameter tagSet')
  return context.store.update((tx) => {
    for (const id of input.Resources ?? []) putTags(tx, resolveTagged(tx, context.scope, id), tags)
    return {}
  })
}

export function deleteTags(context: Context, input: DeleteTagsCommandInput): Record<string, never> {
  refuseDryRun(input)
  return context.store.update((tx) => {
    for (const id of input.Resources ?? []) {
      const resourceArn = resolveTagged(tx, context.scope, id)
      const kept = (tx.find('resourceTags', resourceArn)?.tags ?? []).filter(
        ({ key, value }) =>
          input.Tags !== undefined &&
          !input.Tags.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value)),
      )
      if (kept.length > 0) tx.put('resourceTags', { resourceArn, tags: kept })
      else tx.delete('resourceTags', resourceArn)
    }
    return {}
  })
}

function resolveTagged(tx: Transaction, scope: Scope, id: string): string {
  const type = resourceTypes[id.slice(0, id.indexOf('-')) as keyof typeof resourceTypes]
  if (type === undefined) throw new AwsError('InvalidID', `The ID '${id}' is not valid`)
  const found = taggable(tx, scope).some((resource) => resource.type === type && resource.id === id)
  if (!found)
    throw type === 'instance'
      ? new AwsError('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`)
      : new AwsError('InvalidID', `The ID '${id}' is not valid`)
  return ec2Arn(scope, type, id)
}

function taggable(view: View, scope: Scope): Array<{ readonly type: TaggedType; readonly id: string }> {
  const key = scopeKey(scope)
  const instances = view.by('instance', 'scope', key)
  return [
    ...instances.map(({ instanceId }) => ({ type: 'instance', id: instanceId }) as const),
    ...instances.map(
      ({ networkInterfaceId }) => ({ type: 'network-interface', id: networkInterfaceId }) as const,
    ),
    ...view.by('vpc', 'scope', key).map(({ vpcId }) => ({ type: 'vpc', id: vpcId }) as const),
    ...view.by('subnet', 'scope', key).map(({ subnetId }) => ({ type: 'subnet', id: subnetId }) as const),
    ...networkResources(view, key),
  ]
}

/** Groups, their rules, gateways, route tables and interfaces. */
function networkResources(
  view: View,
  key: string,
): Array<{ readonly type: TaggedType; readonly id: string }> {
  const groups = view.by('securityGroup', 'scope', key)
  const rules = groups.flatMap((group) => rulesOfGroup(group))
  const ofType = (type: TaggedType, ids: readonly string[]) => ids.map((id) => ({ type, id }))
  return [
    ...ofType(
      'security-group',
      groups.map(({ groupId }) => groupId),
    ),
    ...ofType(
      'security-group-rule',
      rules.map(({ ruleId }) => ruleId),
    ),
    ...ofType(
      'internet-gateway',
      view.by('internetGateway', 'scope', key).map((row) => row.internetGatewayId),
    ),
    ...ofType(
      'route-table',
      view.by('routeTable', 'scope', key).map((row) => row.routeTableId),
    ),
    ...ofType(
      'network-interface',
      view.by('networkInterface', 'scope', key).map((row) => row.networkInterfaceId),
    ),
  ]
}

/** Sets what a request that makes something says of its tags. Throws InvalidParameterValue for tags of another type. */
export function tagNew(
  tx: Transaction,
  scope: Scope,
  type: TaggedType,
  id: string,
  specifications: readonly TagSpecification[] = [],
): void {
  for (const { ResourceType: said, Tags: tags = [] } of specifications) {
    if (said !== type)
      throw new AwsError(
        'InvalidParameterValue',
        `'${said}' is not a valid taggable resource type for this operation.`,
      )
    putTags(tx, ec2Arn(scope, type, id), tags)
  }
}

export function describeTags(
  { store, scope }: Context,
  input: DescribeTagsCommandInput,
): Answer<DescribeTagsCommandOutput> {
  refuseDryRun(input)
  const all = taggable(store, scope).flatMap(({ type, id }) =>
    tagsOf(store, scope, type, id).map((tag) => ({ type, id, ...tag })),
  )
  const matching = filtered(
    all,
    input.Filters,
    {
      key: (row) => row.key,
      value: (row) => row.value,
      'resource-id': (row) => row.id,
      'resource-type': (row) => row.type,
    },
    (row) => [row],
  )
  const keyOf = (row: (typeof all)[number]): string => `${row.id} ${row.key}`
  const sorted = matching.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
  const { rows, nextToken } = paged(sorted, input, keyOf)
  return {
    Tags: rows.map(({ key, value, id, type }) => ({
      Key: key,
      Value: value,
      ResourceId: id,
      ResourceType: type satisfies ResourceType,
    })),
    ...(nextToken !== undefined && { NextToken: nextToken }),
  }
}
