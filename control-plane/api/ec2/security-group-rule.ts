import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import type { SecurityGroup } from '#domain/instance.ts'
import { isSameRule, rulesOfGroup, type SecurityGroupRule } from '#domain/security-group.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import type { Transaction } from '#state/store.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'
import { missing, resolveGroup } from './network-lookup.ts'
import {
  cidrOf,
  descriptionOf,
  draftsOf,
  ipv6Of,
  permissionsOf,
  protocolOf,
  referenced,
  ruleText,
  showRule,
} from './security-group-permission.ts'
import { ec2Arn, tagNew, tagsOf } from './tag.ts'

/** AWS's quota: so many inbound, and so many outbound rules of a group. */
const rulesMax = 60
type Direction = SecurityGroupRule['direction']

const ruleNotFound = (id: string): AwsError =>
  new AwsError('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`)

/** Lets more in, or out. */
export const authorize =
  (direction: Direction) =>
  (
    context: Context,
    input: EC2.AuthorizeSecurityGroupIngressCommandInput,
  ): Answer<EC2.AuthorizeSecurityGroupIngressCommandOutput> => {
    refuseDryRun(input)
    const { store, scope, ids } = context
    return store.update((tx) => {
      ensureDefaultNetwork(tx, scope)
      const group = resolveGroup(tx, scope, input)
      const permissions = permissionsOf(input)
      const drafts = draftsOf(tx, group, direction, permissions)
      if (drafts.length === 0) throw missing('ipPermissions')
      const rules = [...rulesOfGroup(group)]
      const added = drafts.map((draft) => {
        const rule = { ruleId: `sgr-0${ids.hex(16)}`, ...draft }
        if (rules.some((known) => isSameRule(known, rule)))
          throw new AwsError(
            'InvalidPermission.Duplicate',
            `the specified rule "${ruleText(rule)}" already exists`,
          )
        rules.push(rule)
        return rule
      })
      if (rules.filter((rule) => rule.direction === direction).length > rulesMax)
        throw new AwsError(
          'RulesPerSecurityGroupLimitExceeded',
          'The maximum number of rules per security group has been reached.',
        )
      tx.put('securityGroup', { ...group, rules })
      for (const { ruleId } of added)
        tagNew(tx, scope, 'security-group-rule', ruleId, input.TagSpecifications)
      return { Return: true, SecurityGroupRules: added.map((rule) => showRule(tx, group, rule)) }
    })
  }

/** Takes rules away: by their ids, or by what they say. */
export const revoke =
  (direction: Direction) =>
  (
    { store, scope }: Context,
    input: EC2.RevokeSecurityGroupIngressCommandInput,
  ): Answer<EC2.RevokeSecurityGroupIngressCommandOutput> => {
    refuseDryRun(input)
    return store.update((tx) => {
      ensureDefaultNetwork(tx, scope)
      const group = resolveGroup(tx, scope, input)
      const rules = rulesOfGroup(group)
      const byId = (input.SecurityGroupRuleIds ?? []).map((id) => {
        const rule = rules.find((known) => known.ruleId === id && known.direction === direction)
        if (!rule) throw ruleNotFound(id)
        return rule
      })
      const drafts = draftsOf(tx, group, direction, permissionsOf(input))
      if (byId.length === 0 && drafts.length === 0) throw missing('ipPermissions')
      const bySaying = drafts.map((draft) => {
        const rule = rules.find((known) => isSameRule(known, { ruleId: '', ...draft }))
        if (!rule)
          throw new AwsError(
            'InvalidPermission.NotFound',
            'The specified rule does not exist in this security group.',
          )
        return rule
      })
      const gone = new Set([...byId, ...bySaying])
      tx.put('securityGroup', { ...group, rules: rules.filter((rule) => !gone.has(rule)) })
      for (const { ruleId } of gone) tx.delete('resourceTags', ec2Arn(group, 'security-group-rule', ruleId))
      return {
        Return: true,
        RevokedSecurityGroupRules: [...gone].map((rule) => {
          const {
            Tags: _tags,
            GroupOwnerId: _owner,
            SecurityGroupRuleArn: _arn,
            ReferencedGroupInfo,
            ...shown
          } = showRule(tx, group, rule)
          return { ...shown, ReferencedGroupId: ReferencedGroupInfo?.GroupId }
        }),
      }
    })
  }

/** Changes what rules are described as; nothing else of them. */
export const describeRules =
  (direction: Direction) =>
  (
    { store, scope }: Context,
    input: EC2.UpdateSecurityGroupRuleDescriptionsIngressCommandInput,
  ): Answer<EC2.UpdateSecurityGroupRuleDescriptionsIngressCommandOutput> => {
    refuseDryRun(input)
    return store.update((tx) => {
      ensureDefaultNetwork(tx, scope)
      const group = resolveGroup(tx, scope, input)
      const byId = input.SecurityGroupRuleDescriptions ?? []
      const drafts = draftsOf(tx, group, direction, input.IpPermissions ?? [])
      if (byId.length === 0 && drafts.length === 0) throw missing('ipPermissions')
      let rules = rulesOfGroup(group)
      const describe = (rule: SecurityGroupRule | undefined, description: string | undefined): boolean => {
        if (!rule) return false
        const { description: _old, ...kept } = rule
        const described = { ...kept, ...descriptionOf(description) }
        rules = rules.map((known) => (known.ruleId === rule.ruleId ? described : known))
        return true
      }
      for (const { SecurityGroupRuleId: id = '', Description } of byId)
        if (
          !describe(
            rules.find((known) => known.ruleId === id && known.direction === direction),
            Description,
          )
        )
          throw ruleNotFound(id)
      for (const draft of drafts)
        if (
          !describe(
            rules.find((known) => isSameRule(known, { ruleId: '', ...draft })),
            draft.description,
          )
        )
          throw new AwsError(
            'InvalidPermission.NotFound',
            'The specified rule does not exist in this security group.',
          )
      tx.put('securityGroup', { ...group, rules })
      return { Return: true }
    })
  }

export function modifySecurityGroupRules(
  { store, scope }: Context,
  input: EC2.ModifySecurityGroupRulesCommandInput,
): Answer<EC2.ModifySecurityGroupRulesCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const group = resolveGroup(tx, scope, input)
    let rules = rulesOfGroup(group)
    for (const { SecurityGroupRuleId: id = '', SecurityGroupRule: wanted } of input.SecurityGroupRules ??
      []) {
      const known = rules.find(({ ruleId }) => ruleId === id)
      if (!known) throw ruleNotFound(id)
      const changed = changedRule(tx, group, known, wanted ?? {})
      if (rules.some((other) => other.ruleId !== id && isSameRule(other, changed)))
        throw new AwsError(
          'InvalidPermission.Duplicate',
          `the specified rule "${ruleText(changed)}" already exists`,
        )
      rules = rules.map((rule) => (rule.ruleId === id ? changed : rule))
    }
    tx.put('securityGroup', { ...group, rules })
    return { Return: true }
  })
}

function changedRule(
  tx: Transaction,
  group: SecurityGroup,
  { ruleId, direction }: SecurityGroupRule,
  wanted: EC2.SecurityGroupRuleRequest,
): SecurityGroupRule {
  const { CidrIpv4, CidrIpv6, ReferencedGroupId, PrefixListId, Description } = wanted
  if (PrefixListId !== undefined)
    throw new AwsError('UnsupportedOperation', 'Berth does not support prefix lists in security groups.')
  const places = [CidrIpv4, CidrIpv6, ReferencedGroupId].filter((place) => place !== undefined)
  if (places.length !== 1)
    throw new AwsError(
      'InvalidParameterCombination',
      'Only one of cidrIp, cidrIpv6, sourcePrefixListId, or sourceSecurityGroupId can be specified',
    )
  return {
    ruleId,
    direction,
    ...protocolOf(wanted),
    ...(CidrIpv4 !== undefined && { cidrIpv4: cidrOf(CidrIpv4) }),
    ...(CidrIpv6 !== undefined && { cidrIpv6: ipv6Of(CidrIpv6) }),
    ...(ReferencedGroupId !== undefined && { groupId: referenced(tx, group, ReferencedGroupId, undefined) }),
    ...descriptionOf(Description),
  }
}

export function describeSecurityGroupRules(
  { store, scope }: Context,
  input: EC2.DescribeSecurityGroupRulesCommandInput,
): Answer<EC2.DescribeSecurityGroupRulesCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const all = tx
      .by('securityGroup', 'scope', scopeKey(scope))
      .flatMap((group) => rulesOfGroup(group).map((rule) => ({ group, rule })))
      .toSorted((one, other) => (one.rule.ruleId < other.rule.ruleId ? -1 : 1))
    const named = chosen(all, input.SecurityGroupRuleIds, ({ rule }) => rule.ruleId, ruleNotFound)
    const matching = filtered(
      named,
      input.Filters,
      {
        'group-id': ({ group }) => group.groupId,
        'security-group-rule-id': ({ rule }) => rule.ruleId,
      },
      ({ group, rule }) => tagsOf(tx, group, 'security-group-rule', rule.ruleId),
    )
    const { rows, nextToken } = paged(matching, input, ({ rule }) => rule.ruleId)
    return {
      SecurityGroupRules: rows.map(({ group, rule }) => showRule(tx, group, rule)),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  })
}
