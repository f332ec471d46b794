import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import type { SecurityGroup } from '#domain/instance.ts'
import { everythingOut, rulesOfGroup, type SecurityGroupRule } from '#domain/security-group.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import type { View } from '#state/store.ts'
import { chosen, type FilterTable, filtered, paged, refuseDryRun } from './list.ts'
import { groupNamed, groupNotFound, missing, resolveGroup, resolveVpc } from './network-lookup.ts'
import { showPermissions } from './security-group-permission.ts'
import { ec2Arn, showTags, tagNew, tagsOf } from './tag.ts'

const nameLengthMax = 255
const nameAlphabet = /^[\w .:/()#,@[\]+=&;{}!$*-]*$/

export function createSecurityGroup(
  { store, scope, ids }: Context,
  input: EC2.CreateSecurityGroupCommandInput,
): Answer<EC2.CreateSecurityGroupCommandOutput> {
  const { GroupName: groupName = '', Description: description = '' } = input
  if (groupName === '') throw missing('GroupName')
  if (description === '') throw missing('GroupDescription')
  checkText('groupName', groupName)
  checkText('groupDescription', description)
  if (groupName.startsWith('sg-'))
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${groupName}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
    )
  if (groupName === 'default')
    throw new AwsError('InvalidParameterValue', 'Cannot use reserved security group name: default')
  refuseDryRun(input)
  return store.update((tx) => {
    const network = ensureDefaultNetwork(tx, scope)
    const { vpcId } = input.VpcId === undefined ? network.vpc : resolveVpc(tx, scope, input.VpcId)
    if (groupNamed(tx, vpcId, groupName))
      throw new AwsError(
        'InvalidGroup.Duplicate',
        `The security group '${groupName}' already exists for VPC '${vpcId}'`,
      )
    const groupId = `sg-0${ids.hex(16)}`
    const rules = [everythingOut(`sgr-0${ids.hex(16)}`)]
    tx.put('securityGroup', { ...scope, groupId, groupName, description, vpcId, rules })
    tagNew(tx, scope, 'security-group', groupId, input.TagSpecifications)
    return {
      GroupId: groupId,
      SecurityGroupArn: ec2Arn(scope, 'security-group', groupId),
      Tags: showTags(tagsOf(tx, scope, 'security-group', groupId)),
    }
  })
}

function checkText(parameter: string, text: string): void {
  if (text.length > nameLengthMax || !nameAlphabet.test(text))
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${text}) for parameter ${parameter} is invalid. Character sets beyond ASCII are not supported.`,
    )
}

export function deleteSecurityGroup(
  { store, scope }: Context,
  input: EC2.DeleteSecurityGroupCommandInput,
): Answer<EC2.DeleteSecurityGroupCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const { groupId, groupName } = resolveGroup(tx, scope, input)
    if (groupName === 'default')
      throw new AwsError(
        'CannotDelete',
        `the specified group: "${groupId}" name: "default" cannot be deleted by a user`,
      )
    const named = tx.by('securityGroup', 'references', groupId).some((other) => other.groupId !== groupId)
    if (
      named ||
      tx.count('networkInterface', 'group', groupId) > 0 ||
      tx.count('instance', 'group', groupId) > 0
    )
      throw new AwsError('DependencyViolation', `resource ${groupId} has a dependent object`)
    removeGroup(tx, { ...scope, groupId })
    return { Return: true, GroupId: groupId }
  })
}

/** Removes a group with the tags of its rules. */
export function removeGroup(
  tx: Parameters<Parameters<Context['store']['update']>[0]>[0],
  { accountId, region, groupId }: Pick<SecurityGroup, 'accountId' | 'region' | 'groupId'>,
): void {
  const scope = { accountId, region }
  const group = tx.find('securityGroup', groupId)
  if (!group) return
  for (const { ruleId } of rulesOfGroup(group))
    tx.delete('resourceTags', ec2Arn(scope, 'security-group-rule', ruleId))
  tx.delete('resourceTags', ec2Arn(scope, 'security-group', groupId))
  tx.delete('securityGroup', groupId)
}

/** `ip-permission.…` and `egress.ip-permission.…`. */
function ruleFilters(prefix: string, direction: SecurityGroupRule['direction']): FilterTable<SecurityGroup> {
  const of =
    (member: (rule: SecurityGroupRule) => string | number | undefined) =>
    (group: SecurityGroup): Array<string | number | undefined> =>
      rulesOfGroup(group)
        .filter((rule) => rule.direction === direction)
        .map(member)
  return {
    [`${prefix}.cidr`]: of(({ cidrIpv4 }) => cidrIpv4),
    [`${prefix}.ipv6-cidr`]: of(({ cidrIpv6 }) => cidrIpv6),
    [`${prefix}.from-port`]: of(({ fromPort }) => fromPort),
    [`${prefix}.to-port`]: of(({ toPort }) => toPort),
    [`${prefix}.group-id`]: of(({ groupId }) => groupId),
    [`${prefix}.protocol`]: of(({ protocol }) => protocol),
  }
}

const groupFilters: FilterTable<SecurityGroup> = {
  'group-id': (row) => row.groupId,
  'group-name': (row) => row.groupName,
  description: (row) => row.description,
  'vpc-id': (row) => row.vpcId,
  'owner-id': (row) => row.accountId,
  ...ruleFilters('ip-permission', 'ingress'),
  ...ruleFilters('egress.ip-permission', 'egress'),
}

export function describeSecurityGroups(
  { store, scope }: Context,
  input: EC2.DescribeSecurityGroupsCommandInput,
): Answer<EC2.DescribeSecurityGroupsCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const ofScope = tx.by('securityGroup', 'scope', scopeKey(scope))
    const byId = chosen(ofScope, input.GroupIds, ({ groupId }) => groupId, groupNotFound)
    const all = chosen(byId, input.GroupNames, ({ groupName }) => groupName, groupNotFound)
    const matching = filtered(all, input.Filters, groupFilters, (row) =>
      tagsOf(tx, scope, 'security-group', row.groupId),
    )
    const sorted = matching.toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1))
    const { rows, nextToken } = paged(sorted, input, (row) => row.groupId)
    return {
      SecurityGroups: rows.map((row) => showGroup(tx, row)),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  })
}

function showGroup(view: View, row: SecurityGroup): EC2.SecurityGroup {
  return {
    GroupId: row.groupId,
    GroupName: row.groupName,
    Description: row.description,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    SecurityGroupArn: ec2Arn(row, 'security-group', row.groupId),
    IpPermissions: showPermissions(row, 'ingress'),
    IpPermissionsEgress: showPermissions(row, 'egress'),
    Tags: showTags(tagsOf(view, row, 'security-group', row.groupId)),
  }
}
