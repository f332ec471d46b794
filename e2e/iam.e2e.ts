/** Roles, users and their policies with the real AWS CLI, against a control plane that enforces them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  RemoveRoleFromInstanceProfileCommand,
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from './world.ts'

const execute = promisify(execFile)
const account = '000000000000'
const region = 'us-east-1'
let world: World

interface Keys {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken?: string
}
type Cli = (...words: readonly string[]) => Promise<string>

/** The AWS CLI with the keys of somebody else. */
const as =
  (keys: Keys): Cli =>
  async (...words) => {
    const { stdout } = await execute('/usr/bin/aws', ['--endpoint-url', world.berth.url, ...words], {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: keys.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
        AWS_SESSION_TOKEN: keys.SessionToken ?? '',
        AWS_DEFAULT_REGION: region,
        AWS_PAGER: '',
      },
    })
    return stdout.trim()
  }
const read = async <Answer>(text: Promise<string>): Promise<Answer> => JSON.parse(await text) as Answer
const refused = (call: Promise<string>): Promise<string> =>
  call.then(
    () => 'allowed',
    (error: { readonly stderr?: string }) => (error.stderr ?? 'failed without a word').trim(),
  )
const root: Cli = (...words) => world.aws(...words)
const policy = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (action: string | string[], resource: string | string[] = '*', more: object = {}): string =>
  policy({ Effect: 'Allow', Action: action, Resource: resource, ...more })
const ecsArn = (resource: string): string => `arn:aws:ecs:${region}:${account}:${resource}`

let ann: Cli
let runner: Keys

beforeAll(async () => {
  world = await World.start(['--iam', 'enforce', '--no-fargate'])
  // Its agent has the role that instances have when nobody made one.
  await world.cluster('prod', 1)
  for (let revision = 1; revision <= 3; revision++)
    await world.register('web', { image: 'busybox', memory: 16 + revision })
  await root('iam', 'create-user', '--user-name', 'ann', '--path', '/staff/')
  const { AccessKey } = await read<{ AccessKey: Keys }>(
    root('iam', 'create-access-key', '--user-name', 'ann'),
  )
  ann = as(AccessKey)
}, 120_000)
afterAll(() => world.end(), 60_000)

test('a user may nothing until a policy says so, and asks who it is without one', async () => {
  expect(await ann('sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text')).toBe(
    `arn:aws:iam::${account}:user/staff/ann`,
  )
  expect(await refused(ann('ecs', 'list-clusters'))).toBe(
    `An error occurred (AccessDeniedException) when calling the ListClusters operation: User: arn:aws:iam::${account}:user/staff/ann is not authorized to perform: ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters action`,
  )
  expect(await refused(ann('ec2', 'describe-instances'))).toContain(
    '(UnauthorizedOperation) when calling the DescribeInstances operation: You are not authorized to perform this operation.',
  )
  expect(await refused(ann('iam', 'list-users'))).toContain(
    `(AccessDenied) when calling the ListUsers operation: User: arn:aws:iam::${account}:user/staff/ann is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${account}:user/`,
  )
})

test('a role is made, assumed with its condition, and bounded by its policies', async () => {
  const trust = policy({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:user/staff/ann` },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': 'secret-handshake' } },
  })
  await root('iam', 'create-role', '--role-name', 'runner', '--assume-role-policy-document', trust)
  const assume = ['sts', 'assume-role', '--role-arn', `arn:aws:iam::${account}:role/runner`]
  const session = [...assume, '--role-session-name', 'morning']
  expect(await refused(ann(...session))).toBe(
    `An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::${account}:user/staff/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/runner because no identity-based policy allows the sts:AssumeRole action`,
  )
  // Named by the trust policy itself, she needs no policy of her own.
  const answer = await read<{ Credentials: Keys; AssumedRoleUser: { Arn: string } }>(
    ann(...session, '--external-id', 'secret-handshake'),
  )
  expect(answer.AssumedRoleUser.Arn).toBe(`arn:aws:sts::${account}:assumed-role/runner/morning`)
  runner = answer.Credentials
  const run = (definition: string): Promise<string> =>
    as(runner)('ecs', 'run-task', '--cluster', 'prod', '--task-definition', definition)
  expect(await refused(run('web:2'))).toContain(
    `User: arn:aws:sts::${account}:assumed-role/runner/morning is not authorized to perform: ecs:RunTask on resource: ${ecsArn('task-definition/web:2')} because no identity-based policy allows the ecs:RunTask action`,
  )
  const { Policy } = await read<{ Policy: { Arn: string } }>(
    root(
      'iam',
      'create-policy',
      '--policy-name',
      'run-web-2',
      '--policy-document',
      allow('ecs:RunTask', ecsArn('task-definition/web:2'), {
        Condition: { ArnEquals: { 'ecs:cluster': ecsArn('cluster/prod') } },
      }),
    ),
  )
  await root('iam', 'attach-role-policy', '--role-name', 'runner', '--policy-arn', Policy.Arn)
  expect(await refused(run('web:2'))).toBe('allowed')
  // The family alone means its latest revision, which the policy does not name.
  expect(await refused(run('web'))).toContain(`on resource: ${ecsArn('task-definition/web:3')} because no`)
  await root('ecs', 'create-cluster', '--cluster-name', 'other')
  const elsewhere = as(runner)('ecs', 'run-task', '--cluster', 'other', '--task-definition', 'web:2')
  expect(await refused(elsewhere)).toContain('(AccessDeniedException)')
})

test('an explicit deny wins and says so; sessions outlive the control plane', async () => {
  const deny = policy({ Effect: 'Deny', Action: 'ecs:*', Resource: '*' })
  const put = ['iam', 'put-role-policy', '--role-name', 'runner', '--policy-name', 'no', '--policy-document']
  await root(...put, deny)
  await world.crash()
  await world.restart()
  const run = ['ecs', 'run-task', '--cluster', 'prod', '--task-definition', 'web:2']
  expect(await refused(as(runner)(...run))).toContain(
    'is not authorized to perform: ecs:RunTask on resource: ' +
      `${ecsArn('task-definition/web:2')} with an explicit deny in an identity-based policy`,
  )
  await root('iam', 'delete-role-policy', '--role-name', 'runner', '--policy-name', 'no')
  expect(await refused(as(runner)(...run))).toBe('allowed')
  const forged = { ...runner, SessionToken: `x${runner.SessionToken}` }
  expect(await refused(as(forged)(...run))).toContain('(UnrecognizedClientException)')
  expect(await refused(as(forged)('sts', 'get-caller-identity'))).toContain('(InvalidClientTokenId)')
})

test('roles are passed only by whoever may pass them', async () => {
  const trust = policy({
    Effect: 'Allow',
    Principal: { Service: 'ecs-tasks.amazonaws.com' },
    Action: 'sts:AssumeRole',
  })
  await root('iam', 'create-role', '--role-name', 'app', '--assume-role-policy-document', trust)
  const put = ['iam', 'put-user-policy', '--user-name', 'ann', '--policy-name', 'own', '--policy-document']
  await root(...put, allow('ecs:RegisterTaskDefinition'))
  const containers = JSON.stringify([{ name: 'main', image: 'busybox', memory: 16 }])
  const register =
    `ecs register-task-definition --family app --task-role-arn arn:aws:iam::${account}:role/app`
      .split(' ')
      .concat('--container-definitions', containers)
  expect(await refused(ann(...register))).toContain(
    `(AccessDeniedException) when calling the RegisterTaskDefinition operation: User: arn:aws:iam::${account}:user/staff/ann is not authorized to perform: iam:PassRole on resource: arn:aws:iam::${account}:role/app because no identity-based policy allows the iam:PassRole action`,
  )
  const passing = { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } }
  await root(
    ...put,
    policy(
      { Effect: 'Allow', Action: 'ecs:RegisterTaskDefinition', Resource: '*' },
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: `arn:aws:iam::${account}:role/app`,
        Condition: passing,
      },
    ),
  )
  expect(await refused(ann(...register))).toBe('allowed')
})

test('what Terraform asks of a role, a policy and an instance profile', async () => {
  const { accessKeyId, secretAccessKey } = world.key
  const iam = new IAMClient({
    region,
    endpoint: world.berth.url,
    credentials: { accessKeyId, secretAccessKey },
  })
  const trust = policy({
    Effect: 'Allow',
    Principal: { Service: 'ec2.amazonaws.com' },
    Action: 'sts:AssumeRole',
  })
  const role = { RoleName: 'host' }
  const profile = { InstanceProfileName: 'host' }
  const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role'
  const tags = { Tags: [{ Key: 'a', Value: 'b' }] }
  await iam.send(new CreateRoleCommand({ ...role, AssumeRolePolicyDocument: trust, ...tags }))
  const { Role } = await iam.send(new GetRoleCommand(role))
  expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toBe(trust)
  expect(Role).toMatchObject({ RoleName: 'host', Path: '/', MaxSessionDuration: 3600, ...tags })
  await iam.send(new AttachRolePolicyCommand({ ...role, PolicyArn }))
  expect(await iam.send(new ListRolePoliciesCommand(role))).toMatchObject({ PolicyNames: [] })
  expect(await iam.send(new ListAttachedRolePoliciesCommand(role))).toMatchObject({
    AttachedPolicies: [{ PolicyName: 'AmazonEC2ContainerServiceforEC2Role', PolicyArn }],
  })
  await iam.send(new CreateInstanceProfileCommand(profile))
  await iam.send(new AddRoleToInstanceProfileCommand({ ...profile, ...role }))
  expect(await iam.send(new ListInstanceProfilesForRoleCommand(role))).toMatchObject({
    InstanceProfiles: [{ ...profile, Roles: [role] }],
  })
  await expect(iam.send(new DeleteRoleCommand(role))).rejects.toMatchObject({
    name: 'DeleteConflictException',
    message: 'Cannot delete entity, must remove roles from instance profile first.',
  })
  await iam.send(new RemoveRoleFromInstanceProfileCommand({ ...profile, ...role }))
  await iam.send(new DeleteInstanceProfileCommand(profile))
  await iam.send(new DetachRolePolicyCommand({ ...role, PolicyArn }))
  await iam.send(new DeleteRoleCommand(role))
  await expect(iam.send(new GetRoleCommand(role))).rejects.toMatchObject({
    name: 'NoSuchEntityException',
    message: 'The role with name host cannot be found.',
  })
  iam.destroy()
})
