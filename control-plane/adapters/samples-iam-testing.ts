// Inputs of the operations of IAM and STS that succeed; see samples-testing.ts.
import { existing } from './any-input-testing.ts'
import type { Samples } from './samples-testing.ts'

const document = (effect: string, resource: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: effect, Action: ['ecs:RunTask', 's3:*'], Resource: resource }],
  })
const trust = (principal: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: ['sts:AssumeRole', 'sts:TagSession'] }],
  })
const PolicyDocument = document('Allow', '*')
const AssumeRolePolicyDocument = trust({ AWS: '*' })
const managed = 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'
const own = 'arn:aws:iam::000000000000:policy/p'
const UserName = 'ann'
const GroupName = 'devs'
const RoleName = 'runner'
const InstanceProfileName = 'hosts'
const PolicyArn = own
const PolicyName = 'inline'
const Tags = [
  { Key: 'team', Value: 'a' },
  { Key: 'cost', Value: '1' },
]
/** Allows only whom a condition names. */
const conditional = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: {
        StringEquals: { 'aws:username': UserName },
        'ForAnyValue:StringEquals': { 'aws:TagKeys': 'x' },
      },
    },
  ],
})
const ContextEntries = [
  { ContextKeyName: 'aws:username', ContextKeyValues: [UserName], ContextKeyType: 'string' },
  { ContextKeyName: 'aws:TagKeys', ContextKeyValues: ['y', 'x'], ContextKeyType: 'stringList' },
]

export const iamSamples: Samples = {
  CreateUser: [{ UserName }, { UserName: 'bob', Path: '/a/', Tags }],
  CreateGroup: [{ GroupName }, { GroupName: 'ops', Path: '/a/' }],
  CreateRole: [
    { RoleName, AssumeRolePolicyDocument },
    {
      RoleName: 'tasks',
      Path: '/a/',
      AssumeRolePolicyDocument: trust({ Service: 'ecs-tasks.amazonaws.com' }),
    },
  ],
  CreatePolicy: [
    { PolicyName: 'p', PolicyDocument },
    { PolicyName: 'q', Path: '/a/', PolicyDocument, Tags },
  ],
  CreateInstanceProfile: [{ InstanceProfileName }, { InstanceProfileName: 'others' }],
  CreateServiceLinkedRole: [
    { AWSServiceName: 'ecs.amazonaws.com' },
    { AWSServiceName: 'autoscaling.amazonaws.com', CustomSuffix: 'mine' },
  ],
  CreatePolicyVersion: [
    { PolicyArn, PolicyDocument: document('Deny', '*') },
    { PolicyArn, PolicyDocument, SetAsDefault: true },
  ],
  CreateAccessKey: [{ UserName }, {}],
  UpdateAccessKey: [
    { UserName, AccessKeyId: existing, Status: 'Inactive' },
    { UserName, AccessKeyId: existing, Status: 'Active' },
  ],
  DeleteAccessKey: [{ UserName, AccessKeyId: existing }],
  GetGroup: [{ GroupName }],
  ListGroupsForUser: [{ UserName }],
  ListInstanceProfilesForRole: [{ RoleName }],
  ListInstanceProfileTags: [{ InstanceProfileName }],
  ListPolicyTags: [{ PolicyArn }],
  ListPolicyVersions: [{ PolicyArn }],
  ListRoleTags: [{ RoleName }],
  ListUserTags: [{ UserName }],
  ListAttachedUserPolicies: [{ UserName }],
  ListAttachedGroupPolicies: [{ GroupName }],
  ListAttachedRolePolicies: [{ RoleName }],
  ListUserPolicies: [{ UserName }],
  ListGroupPolicies: [{ GroupName }],
  ListRolePolicies: [{ RoleName }],
  AddUserToGroup: [{ UserName, GroupName }],
  RemoveUserFromGroup: [{ UserName, GroupName }],
  AddRoleToInstanceProfile: [{ InstanceProfileName: 'others', RoleName }],
  RemoveRoleFromInstanceProfile: [{ InstanceProfileName, RoleName }],
  AttachUserPolicy: [{ UserName: 'bob', PolicyArn: managed }],
  AttachGroupPolicy: [{ GroupName: 'ops', PolicyArn: managed }],
  AttachRolePolicy: [{ RoleName: 'tasks', PolicyArn: managed }],
  DetachUserPolicy: [{ UserName, PolicyArn }],
  DetachGroupPolicy: [{ GroupName, PolicyArn }],
  DetachRolePolicy: [{ RoleName, PolicyArn }],
  PutUserPolicy: [{ UserName, PolicyName, PolicyDocument }],
  PutGroupPolicy: [{ GroupName, PolicyName, PolicyDocument }],
  PutRolePolicy: [{ RoleName, PolicyName, PolicyDocument }],
  GetUserPolicy: [{ UserName, PolicyName }],
  GetGroupPolicy: [{ GroupName, PolicyName }],
  GetRolePolicy: [{ RoleName, PolicyName }],
  DeleteUserPolicy: [{ UserName, PolicyName }],
  DeleteGroupPolicy: [{ GroupName, PolicyName }],
  DeleteRolePolicy: [{ RoleName, PolicyName }],
  PutUserPermissionsBoundary: [{ UserName, PermissionsBoundary: own }],
  PutRolePermissionsBoundary: [{ RoleName, PermissionsBoundary: own }],
  DeletePolicy: [{ PolicyArn: 'arn:aws:iam::000000000000:policy/a/q' }, { PolicyArn }],
  DeletePolicyVersion: [{ PolicyArn, VersionId: 'v2' }],
  GetPolicyVersion: [{ PolicyArn, VersionId: 'v1' }],
  SetDefaultPolicyVersion: [{ PolicyArn, VersionId: 'v2' }],
  ListAccessKeys: [{ UserName }, {}],
  ListPolicies: [{}, { Scope: 'Local' }],
  ListEntitiesForPolicy: [{ PolicyArn }],
  DeleteGroup: [{ GroupName: 'ops' }, { GroupName }],
  DeleteUser: [{ UserName: 'bob' }, { UserName }],
  DeleteRole: [{ RoleName: 'tasks' }, { RoleName }],
  DeleteServiceLinkedRole: [{ RoleName: 'AWSServiceRoleForECS' }],
  GetServiceLinkedRoleDeletionStatus: [
    { DeletionTaskId: 'task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1' },
  ],
  UpdateAssumeRolePolicy: [{ RoleName, PolicyDocument: trust({ Service: 'ecs-tasks.amazonaws.com' }) }],
  UpdateRole: [
    { RoleName, MaxSessionDuration: 7200 },
    { RoleName, Description: 'runs' },
  ],
  UpdateRoleDescription: [{ RoleName, Description: 'runs' }],
  UpdateUser: [{ UserName, NewUserName: 'cleo' }],
  SimulateCustomPolicy: [
    { PolicyInputList: [PolicyDocument], ActionNames: ['ecs:RunTask'] },
    { PolicyInputList: [conditional], ActionNames: ['ecs:RunTask'], ContextEntries },
    {
      PolicyInputList: [conditional],
      ActionNames: ['ecs:RunTask'],
      ContextEntries: ContextEntries.toReversed(),
    },
  ],
  SimulatePrincipalPolicy: [
    { PolicySourceArn: `arn:aws:iam::000000000000:user/${UserName}`, ActionNames: ['ecs:RunTask'] },
    ...[ContextEntries, ContextEntries.toReversed()].map((entries) => ({
      PolicySourceArn: 'arn:aws:iam::000000000000:user/eve',
      PolicyInputList: [conditional],
      ActionNames: ['ecs:RunTask'],
      ContextEntries: entries,
    })),
  ],
}

export const stsSamples: Samples = {
  AssumeRole: [
    { RoleArn: `arn:aws:iam::000000000000:role/${RoleName}`, RoleSessionName: 'me', Tags },
    { RoleArn: `arn:aws:iam::000000000000:role/${RoleName}`, RoleSessionName: 'me', DurationSeconds: 900 },
  ],
  GetAccessKeyInfo: [{ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }],
}

/** By the names of members; of roles, users and keys there are others too. */
export const iamTexts: Readonly<Record<string, readonly string[]>> = {
  UserName: [UserName, 'bob', 'cleo'],
  NewUserName: ['cleo', 'bob'],
  GroupName: [GroupName, 'ops'],
  RoleName: [RoleName, 'tasks', 'AWSServiceRoleForECS'],
  InstanceProfileName: [InstanceProfileName, 'others'],
  PolicyName: [PolicyName, 'p', 'q'],
  PolicyArn: [own, 'arn:aws:iam::000000000000:policy/a/q', managed],
  PermissionsBoundary: [own, managed],
  PolicyDocument: [PolicyDocument, document('Deny', 'arn:aws:s3:::a'), '{', '{}'],
  PolicyInputList: [PolicyDocument, document('Deny', '*')],
  PermissionsBoundaryPolicyInputList: [document('Deny', '*'), PolicyDocument],
  AssumeRolePolicyDocument: [AssumeRolePolicyDocument, PolicyDocument],
  ResourceArns: ['arn:aws:s3:::a', '*'],
  ActionNames: ['ecs:RunTask', 's3:GetObject', 'iam:*'],
  PolicySourceArn: [`user/${UserName}`, `group/${GroupName}`, `role/${RoleName}`].map(
    (each) => `arn:aws:iam::000000000000:${each}`,
  ),
  VersionId: ['v1', 'v2', 'v3'],
  Path: ['/', '/a/', 'a'],
  PathPrefix: ['/', '/a/'],
  TagKeys: ['team', 'none'],
  AWSServiceName: ['ecs.amazonaws.com', 'autoscaling.amazonaws.com', 'lambda.amazonaws.com'],
  RoleArn: [RoleName, 'a/tasks', 'none'].map((each) => `arn:aws:iam::000000000000:role/${each}`),
  Policy: [PolicyDocument, document('Deny', '*')],
  PolicyUsageFilter: ['PermissionsBoundary', 'PermissionsPolicy'],
  arn: [managed, own],
}

/** What half of the worlds begin with. */
export const iamPrelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateUser', { UserName, Tags }],
  ['CreateGroup', { GroupName }],
  ['CreateRole', { RoleName, AssumeRolePolicyDocument, Tags }],
  ['CreatePolicy', { PolicyName: 'p', PolicyDocument, Tags }],
  ['CreatePolicyVersion', { PolicyArn, PolicyDocument: document('Deny', '*') }],
  ['CreateInstanceProfile', { InstanceProfileName, Tags }],
  ['AddRoleToInstanceProfile', { InstanceProfileName, RoleName }],
  ['AddUserToGroup', { UserName, GroupName }],
  ['CreateUser', { UserName: 'bob', Path: '/a/' }],
  ['AddUserToGroup', { UserName: 'bob', GroupName }],
  ['CreateUser', { UserName: 'eve' }],
  ['CreateGroup', { GroupName: 'ops' }],
  ['AddUserToGroup', { UserName, GroupName: 'ops' }],
  ['CreateInstanceProfile', { InstanceProfileName: 'spare' }],
  ['AddRoleToInstanceProfile', { InstanceProfileName: 'spare', RoleName }],
  ['PutUserPermissionsBoundary', { UserName, PermissionsBoundary: own }],
  ['CreateAccessKey', { UserName }],
  ...(['User', 'Group', 'Role'] as const).flatMap((kind): Array<readonly [string, object]> => {
    const of = { User: { UserName }, Group: { GroupName }, Role: { RoleName } }[kind]
    return [
      [`Attach${kind}Policy`, { ...of, PolicyArn }],
      [`Attach${kind}Policy`, { ...of, PolicyArn: managed }],
      [`Put${kind}Policy`, { ...of, PolicyName, PolicyDocument }],
      [`Put${kind}Policy`, { ...of, PolicyName: 'other', PolicyDocument }],
    ]
  }),
  ['PutRolePermissionsBoundary', { RoleName, PermissionsBoundary: managed }],
]
