import type { IpPermission } from '@aws-sdk/client-ec2'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { errorOf } from './network-testing.ts'
import {
  authorize,
  describeSecurityGroupRules,
  modifySecurityGroupRules,
  revoke,
} from './security-group-rule.ts'
import { createSecurityGroup, deleteSecurityGroup, describeSecurityGroups } from './security-group.ts'
import { createVpc } from './vpc.ts'

let context: TestContext
let GroupId: string
beforeEach(async () => {
  context = await testContext()
  GroupId = make('web')
})
const make = (GroupName: string, more: object = {}): string =>
  createSecurityGroup(context, { GroupName, Description: 'a group', ...more }).GroupId ?? ''
const letIn = (IpPermissions: IpPermission[]) => authorize('ingress')(context, { GroupId, IpPermissions })
const http = (CidrIp: string): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort: 80,
  ToPort: 80,
  IpRanges: [{ CidrIp }],
})
const group = () => describeSecurityGroups(context, { GroupIds: [GroupId] }).SecurityGroups?.[0]

test('a new group lets nothing in and everything out', () => {
  expect(group()).toMatchObject({
    IpPermissions: [],
    IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  })
})

test('the default group lets its own members in', () => {
  const { SecurityGroups } = describeSecurityGroups(context, { GroupNames: ['default'] })
  expect(SecurityGroups?.[0]?.IpPermissions).toMatchObject([
    { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: SecurityGroups?.[0]?.GroupId }] },
  ])
})

test('what is let in is one rule a place, shown together, and can be taken back by either name', () => {
  const { SecurityGroupRules: rules = [] } = letIn([
    { ...http('10.1.2.3/8'), UserIdGroupPairs: [{ GroupId }] },
  ])
  expect(rules).toMatchObject([
    { CidrIpv4: '10.0.0.0/8', FromPort: 80, IsEgress: false },
    { ReferencedGroupInfo: { GroupId } },
  ])
  expect(group()?.IpPermissions).toMatchObject([
    { FromPort: 80, IpRanges: [{ CidrIp: '10.0.0.0/8' }], UserIdGroupPairs: [{ GroupId }] },
  ])
  const SecurityGroupRuleIds = [rules[1]?.SecurityGroupRuleId ?? '']
  revoke('ingress')(context, { GroupId, SecurityGroupRuleIds })
  revoke('ingress')(context, { GroupId, IpPermissions: [http('10.0.0.0/8')] })
  expect(group()?.IpPermissions).toEqual([])
})

test('a rule is changed in its place', () => {
  const [rule] = letIn([http('10.0.0.0/8')]).SecurityGroupRules ?? []
  const SecurityGroupRuleId = rule?.SecurityGroupRuleId
  modifySecurityGroupRules(context, {
    GroupId,
    SecurityGroupRules: [
      {
        SecurityGroupRuleId,
        SecurityGroupRule: { IpProtocol: 'udp', FromPort: 53, ToPort: 53, CidrIpv4: '0.0.0.0/0' },
      },
    ],
  })
  const ids = [SecurityGroupRuleId ?? '']
  expect(describeSecurityGroupRules(context, { SecurityGroupRuleIds: ids }).SecurityGroupRules).toMatchObject(
    [{ IpProtocol: 'udp', FromPort: 53, CidrIpv4: '0.0.0.0/0' }],
  )
})

test.each<[string, () => unknown, string]>([
  [
    'a rule that is there',
    () => {
      letIn([http('10.0.0.0/8')])
      return letIn([http('10.0.0.0/8')])
    },
    'InvalidPermission.Duplicate: the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists',
  ],
  [
    'a rule that is not there',
    () => revoke('ingress')(context, { GroupId, IpPermissions: [http('10.0.0.0/8')] }),
    'InvalidPermission.NotFound: The specified rule does not exist in this security group.',
  ],
  [
    'a group that is not there',
    () => authorize('ingress')(context, { GroupId: 'sg-0', IpPermissions: [http('10.0.0.0/8')] }),
    "InvalidGroup.NotFound: The security group 'sg-0' does not exist",
  ],
  [
    'an id of another kind',
    () => deleteSecurityGroup(context, { GroupId: 'web' }),
    'InvalidGroupId.Malformed: Invalid id: "web" (expecting "sg-...")',
  ],
  ['no block', () => letIn([http('10.0.0')]), 'InvalidParameterValue: CIDR block 10.0.0 is malformed'],
  [
    'no ports',
    () => letIn([{ IpProtocol: 'tcp', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]),
    "InvalidParameterValue: Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
  ],
  ['nothing', () => letIn([]), 'MissingParameter: The request must contain the parameter ipPermissions'],
  [
    'prefix lists',
    () => letIn([{ IpProtocol: '-1', PrefixListIds: [{ PrefixListId: 'pl-1' }] }]),
    'UnsupportedOperation: Berth does not support prefix lists in security groups.',
  ],
  [
    'more than sixty rules',
    () => letIn(Array.from({ length: 61 }, (_, number) => http(`10.${number}.0.0/16`))),
    'RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached.',
  ],
  [
    'a group of another VPC',
    () => {
      const VpcId = createVpc(context, { CidrBlock: '10.0.0.0/16' }).Vpc?.VpcId
      return letIn([{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: make('far', { VpcId }) }] }])
    },
    'InvalidGroup.NotFound: You have specified two resources that belong to different networks.',
  ],
  [
    'the name default',
    () => make('default'),
    'InvalidParameterValue: Cannot use reserved security group name: default',
  ],
  [
    'the end of the default group',
    () => deleteSecurityGroup(context, { GroupName: 'default' }),
    /^CannotDelete: the specified group: "sg-0\w+" name: "default" cannot be deleted by a user$/.source,
  ],
  [
    'the end of a group that another names',
    () => {
      authorize('ingress')(context, {
        GroupId: make('db'),
        IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId }] }],
      })
      return deleteSecurityGroup(context, { GroupId })
    },
    /^DependencyViolation: resource sg-0\w+ has a dependent object$/.source,
  ],
])('refuses %s, and nothing changes', (_, call, said) => {
  const error = errorOf(call)
  // Where an id stands in the text, it is told as a pattern.
  expect(said.startsWith('^') && new RegExp(said).test(error) ? said : error).toBe(said)
})
