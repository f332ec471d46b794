import { AwsError } from '@berth/wire/error.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { AnyRow } from '#api/services.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import { operations } from './operations.ts'

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
})
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'ecs:*', Resource: '*' }],
})
const account = '000000000000'
const arnOf = (name: string): string => `arn:aws:iam::${account}:policy/${name}`
const executionPolicy = 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'

type Call = readonly [operation: keyof typeof operations, input: object]
function call(operation: keyof typeof operations, input: object): Record<string, unknown> {
  const row = operations[operation] as AnyRow
  if (!('run' in row)) throw new Error(`${operation} is not there`)
  return row.run(context, input as never) as Record<string, unknown>
}
function refusal([operation, input]: Call): readonly [string, string, number] | undefined {
  try {
    call(operation, input)
  } catch (error) {
    if (error instanceof AwsError) return [error.code, error.message, error.httpStatus]
    throw error
  }
  return undefined
}

const role: Call = ['CreateRole', { RoleName: 'web', AssumeRolePolicyDocument: trust }]
const user: Call = ['CreateUser', { UserName: 'ann' }]
const made: Call = ['CreatePolicy', { PolicyName: 'p', PolicyDocument: policy }]
const attached: Call = ['AttachRolePolicy', { RoleName: 'web', PolicyArn: arnOf('p') }]
const profile: Call = ['CreateInstanceProfile', { InstanceProfileName: 'host' }]
const inProfile: Call = ['AddRoleToInstanceProfile', { InstanceProfileName: 'host', RoleName: 'web' }]
const version: Call = ['CreatePolicyVersion', { PolicyArn: arnOf('p'), PolicyDocument: policy }]
const key: Call = ['CreateAccessKey', { UserName: 'ann' }]
const statement = (more: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'ecs:*', Resource: '*', ...more }],
  })
const put = (PolicyDocument: string): Call => [
  'PutRolePolicy',
  { RoleName: 'web', PolicyName: 'in', PolicyDocument },
]
const trusting = (AssumeRolePolicyDocument: string): Call => [
  'CreateRole',
  { RoleName: 'x', AssumeRolePolicyDocument },
]

describe('refusals in the words of AWS', () => {
  test.each<[string, readonly Call[], Call, readonly [string, string, number]]>([
    [
      'a role that is not there',
      [],
      ['GetRole', { RoleName: 'web' }],
      ['NoSuchEntity', 'The role with name web cannot be found.', 404],
    ],
    [
      'a user that is not there',
      [],
      ['GetUser', { UserName: 'ann' }],
      ['NoSuchEntity', 'The user with name ann cannot be found.', 404],
    ],
    [
      'a policy that is not there',
      [],
      ['GetPolicy', { PolicyArn: arnOf('p') }],
      ['NoSuchEntity', `Policy ${arnOf('p')} was not found.`, 404],
    ],
    [
      'a profile that is not there',
      [],
      ['GetInstanceProfile', { InstanceProfileName: 'host' }],
      ['NoSuchEntity', 'Instance Profile host cannot be found.', 404],
    ],
    [
      'an inline policy that is not there',
      [role],
      ['GetRolePolicy', { RoleName: 'web', PolicyName: 'in' }],
      ['NoSuchEntity', 'The role policy with name in cannot be found.', 404],
    ],
    [
      'a role made twice, in other letters',
      [role],
      ['CreateRole', { RoleName: 'WEB', AssumeRolePolicyDocument: trust }],
      ['EntityAlreadyExists', 'Role with name WEB already exists.', 409],
    ],
    [
      'a policy made twice',
      [made],
      made,
      ['EntityAlreadyExists', 'A policy called p already exists. Duplicate names are not allowed.', 409],
    ],
    [
      'a profile made twice',
      [profile],
      profile,
      ['EntityAlreadyExists', 'Instance Profile host already exists.', 409],
    ],
    [
      'a role with a policy attached',
      [role, made, attached],
      ['DeleteRole', { RoleName: 'web' }],
      ['DeleteConflict', 'Cannot delete entity, must detach all policies first.', 409],
    ],
    [
      'a role with a policy in it',
      [role, put(policy)],
      ['DeleteRole', { RoleName: 'web' }],
      ['DeleteConflict', 'Cannot delete entity, must delete policies first.', 409],
    ],
    [
      'a role in a profile',
      [role, profile, inProfile],
      ['DeleteRole', { RoleName: 'web' }],
      ['DeleteConflict', 'Cannot delete entity, must remove roles from instance profile first.', 409],
    ],
    [
      'a policy that is attached',
      [role, made, attached],
      ['DeletePolicy', { PolicyArn: arnOf('p') }],
      ['DeleteConflict', 'Cannot delete a policy attached to entities.', 409],
    ],
    [
      'the default version',
      [made],
      ['DeletePolicyVersion', { PolicyArn: arnOf('p'), VersionId: 'v1' }],
      ['DeleteConflict', 'Cannot delete the default version of a policy.', 409],
    ],
    [
      'a user with a key',
      [user, key],
      ['DeleteUser', { UserName: 'ann' }],
      ['DeleteConflict', 'Cannot delete entity, must delete access keys first.', 409],
    ],
    [
      'a third key',
      [user, key, key],
      key,
      ['LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2', 409],
    ],
    [
      'a sixth version',
      [made, version, version, version, version],
      version,
      [
        'LimitExceeded',
        'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
        409,
      ],
    ],
    [
      'a second role in a profile',
      [role, profile, inProfile],
      inProfile,
      ['LimitExceeded', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1', 409],
    ],
    [
      'a policy to attach that is not there',
      [role],
      attached,
      ['NoSuchEntity', `Policy ${arnOf('p')} does not exist or is not attachable.`, 404],
    ],
    [
      'a policy to detach that is not attached',
      [role, made],
      ['DetachRolePolicy', { RoleName: 'web', PolicyArn: arnOf('p') }],
      ['NoSuchEntity', `Policy ${arnOf('p')} was not found.`, 404],
    ],
    [
      'a name with a slash',
      [],
      ['CreateUser', { UserName: 'a/b' }],
      [
        'ValidationError',
        'The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-',
        400,
      ],
    ],
    [
      'a path without slashes',
      [],
      ['CreateUser', { UserName: 'a', Path: 'b' }],
      [
        'ValidationError',
        'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
        400,
      ],
    ],
    [
      'a session that is too long',
      [],
      ['CreateRole', { RoleName: 'x', AssumeRolePolicyDocument: trust, MaxSessionDuration: 60 }],
      [
        'ValidationError',
        "1 validation error detected: Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
        400,
      ],
    ],
    [
      'a document that is no JSON',
      [role],
      put('{'),
      ['MalformedPolicyDocument', 'Syntax errors in policy.', 400],
    ],
    [
      'a document without a version',
      [role],
      put('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
      ['MalformedPolicyDocument', 'Policy document must be version 2012-10-17 or greater.', 400],
    ],
    [
      'an action without a service',
      [role],
      put(statement({ Action: 'RunTask' })),
      [
        'MalformedPolicyDocument',
        'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
        400,
      ],
    ],
    [
      'a statement without actions',
      [role],
      put(statement({ Action: undefined })),
      ['MalformedPolicyDocument', 'Policy statement must contain actions.', 400],
    ],
    [
      'a statement without resources',
      [role],
      put(statement({ Resource: undefined })),
      ['MalformedPolicyDocument', 'Policy statement must contain resources.', 400],
    ],
    [
      'a resource that is no ARN',
      [role],
      put(statement({ Resource: 'web' })),
      ['MalformedPolicyDocument', 'Resource web must be in ARN format or "*".', 400],
    ],
    [
      'an identity policy with a principal',
      [role],
      put(statement({ Principal: '*' })),
      ['MalformedPolicyDocument', 'Policy document should not specify a principal.', 400],
    ],
    [
      'a condition of no operator',
      [role],
      put(statement({ Condition: { Is: { a: 'b' } } })),
      ['MalformedPolicyDocument', 'Syntax errors in policy.', 400],
    ],
    [
      'a trust policy that is no JSON',
      [],
      trusting('{'),
      ['MalformedPolicyDocument', 'This policy contains invalid Json', 400],
    ],
    [
      'a trust policy with a resource',
      [],
      trusting(statement({ Principal: '*', Action: 'sts:AssumeRole' })),
      ['MalformedPolicyDocument', 'Has prohibited field Resource', 400],
    ],
    [
      'a trust policy of another action',
      [],
      trusting(statement({ Principal: '*', Resource: undefined })),
      ['MalformedPolicyDocument', 'AssumeRole policy may only specify STS AssumeRole actions.', 400],
    ],
    [
      'a trust policy without a principal',
      [],
      trusting(statement({ Action: 'sts:AssumeRole', Resource: undefined })),
      ['MalformedPolicyDocument', 'Missing required field Principal', 400],
    ],
    [
      'a principal that is none',
      [],
      trusting(statement({ Action: 'sts:AssumeRole', Resource: undefined, Principal: { AWS: 'ann' } })),
      ['MalformedPolicyDocument', 'Invalid principal in policy: "AWS":"ann"', 400],
    ],
    [
      'a tag given twice',
      [user],
      [
        'TagUser',
        {
          UserName: 'ann',
          Tags: [
            { Key: 'a', Value: '1' },
            { Key: 'A', Value: '2' },
          ],
        },
      ],
      ['InvalidInput', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.', 400],
    ],
  ])('%s', (_, before, asked, expected) => {
    for (const [operation, input] of before) call(operation, input)
    const position = context.store.position
    expect(refusal(asked)).toEqual(expected)
    expect(context.store.position).toBe(position)
  })
})

test('a role is shown with its documents percent-encoded', () => {
  const { Role } = call('CreateRole', {
    RoleName: 'web',
    Path: '/apps/',
    AssumeRolePolicyDocument: trust,
    Description: 'serves',
    Tags: [{ Key: 'team', Value: 'a' }],
  })
  expect(Role).toMatchObject({
    Arn: `arn:aws:iam::${account}:role/apps/web`,
    RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/) as string,
    AssumeRolePolicyDocument: expect.stringMatching(/^%7B%22Version%22%3A/) as string,
  })
  const { Role: shown } = call('GetRole', { RoleName: 'web' })
  expect(shown).toMatchObject({ Description: 'serves', Tags: [{ Key: 'team', Value: 'a' }] })
  expect(call('ListRoles', { PathPrefix: '/apps/' })['Roles']).toHaveLength(1)
  expect(call('ListRoles', { PathPrefix: '/other/' })['Roles']).toHaveLength(0)
})

test('a list goes on where its marker says', () => {
  for (let number = 0; number < 5; number++) call('CreateUser', { UserName: `user${number}` })
  const first = call('ListUsers', { MaxItems: 3 })
  expect(first).toMatchObject({ IsTruncated: true, Users: [{}, {}, {}] })
  const rest = call('ListUsers', { MaxItems: 3, Marker: first['Marker'] })
  expect(rest).toMatchObject({ IsTruncated: false, Users: [{ UserName: 'user3' }, { UserName: 'user4' }] })
  expect(refusal(['ListUsers', { Marker: 'made-up' }])).toEqual(['ValidationError', 'Invalid Marker', 400])
})

test('a policy has versions, of which the default one counts', () => {
  for (const [operation, input] of [made, role, attached]) call(operation, input)
  const { PolicyVersion } = call('CreatePolicyVersion', {
    PolicyArn: arnOf('p'),
    PolicyDocument: statement({ Effect: 'Deny' }),
    SetAsDefault: true,
  })
  expect(PolicyVersion).toMatchObject({ VersionId: 'v2', IsDefaultVersion: true })
  const simulated = {
    PolicySourceArn: `arn:aws:iam::${account}:role/web`,
    ActionNames: ['ecs:RunTask', 's3:GetObject'],
  }
  const decisions = (): unknown =>
    (call('SimulatePrincipalPolicy', simulated)['EvaluationResults'] as Array<{ EvalDecision: string }>).map(
      ({ EvalDecision }) => EvalDecision,
    )
  expect(decisions()).toEqual(['explicitDeny', 'implicitDeny'])
  call('SetDefaultPolicyVersion', { PolicyArn: arnOf('p'), VersionId: 'v1' })
  expect(decisions()).toEqual(['allowed', 'implicitDeny'])
  expect(call('GetPolicy', { PolicyArn: arnOf('p') })['Policy']).toMatchObject({
    DefaultVersionId: 'v1',
    AttachmentCount: 1,
  })
})

test('the policies that AWS keeps are there, and cannot be changed', () => {
  call(...role)
  call('AttachRolePolicy', { RoleName: 'web', PolicyArn: executionPolicy })
  const { PolicyVersion } = call('GetPolicyVersion', { PolicyArn: executionPolicy, VersionId: 'v1' })
  expect(decodeURIComponent((PolicyVersion as { Document: string }).Document)).toContain('ecr:BatchGetImage')
  expect(refusal(['DeletePolicy', { PolicyArn: executionPolicy }])?.[0]).toBe('AccessDenied')
})

test('a role of a service is made once and changed by nobody', () => {
  const asked: Call = ['CreateServiceLinkedRole', { AWSServiceName: 'ecs.amazonaws.com' }]
  expect(call(...asked)['Role']).toMatchObject({
    Arn: `arn:aws:iam::${account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS`,
  })
  expect(refusal(asked)).toEqual([
    'InvalidInput',
    'Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.',
    400,
  ])
  expect(refusal(['DeleteRole', { RoleName: 'AWSServiceRoleForECS' }])?.[0]).toBe('UnmodifiableEntity')
  const { DeletionTaskId } = call('DeleteServiceLinkedRole', { RoleName: 'AWSServiceRoleForECS' })
  expect(call('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId })).toEqual({ Status: 'SUCCEEDED' })
})
