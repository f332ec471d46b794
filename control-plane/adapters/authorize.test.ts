import { AwsError } from '@berth/wire/error.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller, Context } from '#api/operation.ts'
import { operations as ecs } from '#api/ecs/operations.ts'
import { operations as iam } from '#api/iam/operations.ts'
import { operations as sts } from '#api/sts/operations.ts'
import type { AnyRow } from '#api/services.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import { verifySession } from '#state/session-credentials.ts'
import { type AuthorizationRequest, type Authorize, iamAuthorize } from './authorize.ts'

const account = '000000000000'
const userArn = `arn:aws:iam::${account}:user/ann`
const ecsArn = (resource: string): string => `arn:aws:ecs:us-east-1:${account}:${resource}`
let context: TestContext
let authorize: Authorize
let ann: Caller
beforeEach(async () => {
  context = await testContext()
  authorize = iamAuthorize(context.store, context.clock)
  const { User } = run(iam.CreateUser, { UserName: 'ann' })
  ann = { accountId: account, arn: userArn, userId: (User as { UserId: string }).UserId }
})

function run(row: AnyRow, input: object, by: Caller = context.caller): Record<string, unknown> {
  if (!('run' in row)) throw new Error('it is not there')
  return row.run({ ...context, caller: by }, input as never) as Record<string, unknown>
}
const document = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string | readonly string[], Resource: string = '*', more: object = {}): string =>
  document({ Effect: 'Allow', Action, Resource, ...more })
const put = (PolicyDocument: string, PolicyName = 'own'): unknown =>
  run(iam.PutUserPolicy, { UserName: 'ann', PolicyName, PolicyDocument })

/** What the door asks of a row. */
function asked(name: string, row: AnyRow, input: object, caller: Caller): AuthorizationRequest {
  if (!('run' in row)) throw new Error(`${name} is not there`)
  const own: Context = { ...context, caller }
  const { conditions, further, granted } = row
  return {
    caller,
    service: name.split(':')[0] as 'ecs',
    region: 'us-east-1',
    action: name,
    resources: row.resources(own, input as never),
    ...(conditions && { conditions: () => conditions(own, input as never) }),
    ...(further && { further: () => further(own, input as never) }),
    ...(granted && { granted: () => granted(own, input as never) }),
  }
}
function refusal(request: AuthorizationRequest): readonly [string, string, number] | undefined {
  try {
    authorize(request)
  } catch (error) {
    if (error instanceof AwsError) return [error.code, error.message, error.httpStatus]
    throw error
  }
  return undefined
}
const may = (name: string, row: AnyRow, input: object, caller = ann): string =>
  refusal(asked(name, row, input, caller))?.[1].replace(/^.*?perform: /, '') ?? 'allowed'

describe('what is refused is said as each service says it', () => {
  const bare = (service: AuthorizationRequest['service'], action: string, resource = '*') => ({
    caller: ann,
    service,
    region: 'us-east-1',
    action,
    resources: [resource],
  })
  test.each([
    [
      'ecs',
      'ecs:ListClusters',
      '*',
      'AccessDeniedException',
      400,
      `User: ${userArn} is not authorized to perform: ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters action`,
    ],
    [
      'scheduler',
      'scheduler:GetSchedule',
      'arn:x',
      'AccessDeniedException',
      403,
      `User: ${userArn} is not authorized to perform: scheduler:GetSchedule on resource: arn:x because no identity-based policy allows the scheduler:GetSchedule action`,
    ],
    [
      'iam',
      'iam:GetRole',
      'arn:x',
      'AccessDenied',
      403,
      `User: ${userArn} is not authorized to perform: iam:GetRole on resource: arn:x because no identity-based policy allows the iam:GetRole action`,
    ],
    [
      'ec2',
      'ec2:DescribeInstances',
      '*',
      'UnauthorizedOperation',
      403,
      `You are not authorized to perform this operation. User: ${userArn} is not authorized to perform: ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action.`,
    ],
  ] as const)('%s: %s', (service, action, resource, code, status, message) => {
    expect(refusal(bare(service, action, resource))).toEqual([code, message, status])
  })

  test('root may everything, and everybody may ask who they are', () => {
    expect(refusal({ ...bare('ecs', 'ecs:DeleteCluster'), caller: context.caller })).toBeUndefined()
    put(document({ Effect: 'Deny', Action: '*', Resource: '*' }))
    expect(refusal(bare('sts', 'sts:GetCallerIdentity'))).toBeUndefined()
    expect(refusal(bare('ecs', 'ecs:ListClusters'))?.[1]).toContain(
      'ecs:ListClusters on resource: * with an explicit deny in an identity-based policy',
    )
  })

  test('groups and permissions boundaries count', () => {
    run(iam.CreateGroup, { GroupName: 'staff' })
    run(iam.AddUserToGroup, { GroupName: 'staff', UserName: 'ann' })
    run(iam.AttachGroupPolicy, { GroupName: 'staff', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' })
    expect(refusal(bare('ecs', 'ecs:ListClusters'))).toBeUndefined()
    expect(refusal(bare('ecs', 'ecs:DeleteCluster'))).toBeDefined()
    const PermissionsBoundary = 'arn:aws:iam::aws:policy/CloudWatchLogsFullAccess'
    run(iam.PutUserPermissionsBoundary, { UserName: 'ann', PermissionsBoundary })
    expect(refusal(bare('ecs', 'ecs:ListClusters'))?.[1]).toContain(
      'because no permissions boundary allows the ecs:ListClusters action',
    )
  })

  test("a change of a policy's version counts at once", () => {
    const PolicyArn = `arn:aws:iam::${account}:policy/p`
    run(iam.CreatePolicy, { PolicyName: 'p', PolicyDocument: allow('ecs:ListClusters') })
    run(iam.AttachUserPolicy, { UserName: 'ann', PolicyArn })
    expect(refusal(bare('ecs', 'ecs:ListClusters'))).toBeUndefined()
    run(iam.CreatePolicyVersion, { PolicyArn, PolicyDocument: allow('s3:*'), SetAsDefault: true })
    expect(refusal(bare('ecs', 'ecs:ListClusters'))).toBeDefined()
  })
})

describe('of the operations of ECS', () => {
  const register = (more: object = {}): unknown =>
    run(ecs.RegisterTaskDefinition, {
      family: 'web',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
      ...more,
    })

  test('a family alone means its latest active revision', () => {
    for (let revision = 0; revision < 3; revision++) register()
    put(allow('ecs:RunTask', ecsArn('task-definition/web:2')))
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web:2' })).toBe('allowed')
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web' })).toContain(
      `on resource: ${ecsArn('task-definition/web:3')} because`,
    )
    run(ecs.DeregisterTaskDefinition, { taskDefinition: 'web:3' })
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web' })).toBe('allowed')
  })

  test.each([
    [{ ArnEquals: { 'ecs:cluster': ecsArn('cluster/prod') } }, { cluster: 'prod' }, { cluster: 'dev' }],
    [{ Bool: { 'ecs:enable-execute-command': 'false' } }, {}, { enableExecuteCommand: true }],
    [{ StringEquals: { 'aws:RequestTag/stage': 'dev' } }, { tags: [{ key: 'stage', value: 'dev' }] }, {}],
    [
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['stage'] } },
      { tags: [{ key: 'stage', value: 'x' }] },
      { tags: [{ key: 'other', value: 'x' }] },
    ],
    [
      { ArnLike: { 'ecs:capacity-provider': ecsArn('capacity-provider/own') } },
      { capacityProviderStrategy: [{ capacityProvider: 'own' }] },
      { capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] },
    ],
  ])('a task is run under the condition %j', (Condition, matching, other) => {
    register()
    put(allow('ecs:RunTask', '*', { Condition }))
    put(allow('ecs:TagResource'), 'tags')
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web', ...matching })).toBe('allowed')
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web', ...other })).toContain('ecs:RunTask on')
  })

  test('roles that are named must be passable', () => {
    const taskRoleArn = `arn:aws:iam::${account}:role/app`
    const input = { family: 'web', containerDefinitions: [], taskRoleArn }
    put(allow(['ecs:RegisterTaskDefinition', 'ecs:RunTask']))
    expect(may('ecs:RegisterTaskDefinition', ecs.RegisterTaskDefinition, input)).toBe(
      `iam:PassRole on resource: ${taskRoleArn} because no identity-based policy allows the iam:PassRole action`,
    )
    register({ taskRoleArn })
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web' })).toContain('iam:PassRole')
    const Condition = { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } }
    put(allow('iam:PassRole', taskRoleArn, { Condition }), 'pass')
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web' })).toBe('allowed')
    const overrides = { taskRoleArn: `arn:aws:iam::${account}:role/other` }
    expect(may('ecs:RunTask', ecs.RunTask, { taskDefinition: 'web', overrides })).toContain('role/other')
  })

  test('tags on what is made need ecs:TagResource', () => {
    put(allow('ecs:CreateCluster'))
    const input = { clusterName: 'c', tags: [{ key: 'a', value: 'b' }] }
    expect(may('ecs:CreateCluster', ecs.CreateCluster, input)).toContain('ecs:TagResource on resource')
    const Condition = { StringEquals: { 'ecs:CreateAction': 'CreateCluster' } }
    put(allow('ecs:TagResource', '*', { Condition }), 'tags')
    expect(may('ecs:CreateCluster', ecs.CreateCluster, input)).toBe('allowed')
  })

  test('a command is run in the container that the condition names only', () => {
    const Condition = { StringEquals: { 'ecs:container-name': 'web' } }
    put(allow('ecs:ExecuteCommand', '*', { Condition }))
    const input = { task: '0'.repeat(32), command: 'sh', interactive: true }
    expect(may('ecs:ExecuteCommand', ecs.ExecuteCommand, { ...input, container: 'web' })).toBe('allowed')
    expect(may('ecs:ExecuteCommand', ecs.ExecuteCommand, { ...input, container: 'sidecar' })).toContain(
      'ecs:ExecuteCommand on resource',
    )
  })
})

describe('of roles', () => {
  const roleArn = `arn:aws:iam::${account}:role/web`
  const trust = (Principal: unknown, more: object = {}): string =>
    document({ Effect: 'Allow', Principal, Action: ['sts:AssumeRole', 'sts:TagSession'], ...more })
  const create = (trustPolicy: string): unknown =>
    run(iam.CreateRole, { RoleName: 'web', AssumeRolePolicyDocument: trustPolicy })
  const assume = (more: object = {}, by = ann): string => {
    const input = { RoleArn: roleArn, RoleSessionName: 'one', ...more }
    const verdict = may('sts:AssumeRole', sts.AssumeRole, input, by)
    if (verdict !== 'allowed') return verdict
    try {
      run(sts.AssumeRole, input, by)
      return 'allowed'
    } catch (error) {
      return error instanceof AwsError ? error.message : String(error)
    }
  }

  test.each([
    ['the user', { AWS: userArn }, false, 'allowed'],
    ['the account, which leaves it to its own policies', { AWS: account }, false, 'no identity-based policy'],
    ['the account, with a policy', { AWS: `arn:aws:iam::${account}:root` }, true, 'allowed'],
    ['another user', { AWS: `arn:aws:iam::${account}:user/bob` }, true, 'is not authorized to perform'],
    ['a service', { Service: 'ecs-tasks.amazonaws.com' }, true, 'is not authorized to perform'],
  ])('a trust policy that names %s', (_, principal, withPolicy, expected) => {
    create(trust(principal))
    if (withPolicy) put(allow('sts:AssumeRole', roleArn))
    expect(assume()).toContain(expected)
  })

  test('a role asks for its external id', () => {
    create(trust({ AWS: userArn }, { Condition: { StringEquals: { 'sts:ExternalId': 'x1' } } }))
    put(allow('sts:AssumeRole'))
    expect(assume()).toBe(
      `User: ${userArn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    )
    expect(assume({ ExternalId: 'x1' })).toBe('allowed')
  })

  test.each([
    [
      { DurationSeconds: 60 },
      "1 validation error detected: Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      { DurationSeconds: 7200 },
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    [
      { RoleSessionName: 'a b' },
      "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    [{ Policy: '{' }, 'Syntax errors in policy.'],
  ])('refuses %j', (more, message) => {
    create(trust({ AWS: userArn }))
    expect(assume(more)).toBe(message)
  })

  test('a session may what its role and its own policy both allow, until the role is another', () => {
    create(trust({ AWS: userArn }))
    run(iam.PutRolePolicy, { RoleName: 'web', PolicyName: 'in', PolicyDocument: allow('ecs:*') })
    const { Credentials } = run(
      sts.AssumeRole,
      {
        RoleArn: roleArn,
        RoleSessionName: 'one',
        Policy: allow('ecs:List*'),
        Tags: [{ Key: 'team', Value: 'a' }],
      },
      ann,
    )
    const { AccessKeyId, SessionToken } = Credentials as { AccessKeyId: string; SessionToken: string }
    const claims = verifySession(context.store, {
      accessKeyId: AccessKeyId,
      sessionToken: SessionToken,
    })?.claims
    if (!claims) throw new Error('the session is not good')
    const by: Caller = {
      accountId: account,
      arn: claims.principalArn,
      userId: claims.userId,
      session: claims,
    }
    expect(may('ecs:ListClusters', ecs.ListClusters, {}, by)).toBe('allowed')
    expect(may('ecs:DeleteCluster', ecs.DeleteCluster, { cluster: 'c' }, by)).toContain(
      'because no session policy allows the ecs:DeleteCluster action',
    )
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': 'a' } }
    const deny = document({ Effect: 'Deny', Action: '*', Resource: '*', Condition })
    run(iam.PutRolePolicy, { RoleName: 'web', PolicyName: 'no', PolicyDocument: deny })
    expect(may('ecs:ListClusters', ecs.ListClusters, {}, by)).toContain('with an explicit deny')
    for (const PolicyName of ['in', 'no']) run(iam.DeleteRolePolicy, { RoleName: 'web', PolicyName })
    run(iam.DeleteRole, { RoleName: 'web' })
    create(trust({ AWS: userArn }))
    run(iam.PutRolePolicy, { RoleName: 'web', PolicyName: 'in', PolicyDocument: allow('ecs:*') })
    expect(may('ecs:ListClusters', ecs.ListClusters, {}, by)).toContain('no identity-based policy')
  })

  test('an instance whose role nobody made has what its agent needs', () => {
    const instance: Caller = {
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/ecsInstanceRole/i-1`,
      userId: 'AROABERTHECSINSTROLE1:i-1',
    }
    const input = { cluster: 'default', tags: [{ key: 'a', value: 'b' }] }
    const register = ecs.RegisterContainerInstance
    expect(may('ecs:RegisterContainerInstance', register, input, instance)).toBe('allowed')
    expect(may('ecs:DeleteCluster', ecs.DeleteCluster, {}, instance)).toContain('ecs:DeleteCluster')
  })
})
