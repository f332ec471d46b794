import { describe, expect, test } from 'vitest'
import { taskReaper } from '#engines/task-reaper.ts'
import { failure } from '#api/calls-testing.ts'
import { testContext } from '#api/testing.ts'
import { api, error, token, withSecret } from './secret-testing.ts'
import { versionKey } from '#domain/secret.ts'

const current = ['AWSCURRENT']

const notFound = error('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
const marked = error(
  'InvalidRequestException',
  "You can't perform this operation on the secret because it was marked for deletion.",
)

test('a secret has an ARN with six characters more than its name, and a version for its value', async () => {
  const { made, call, context } = await withSecret()
  expect(made).toEqual({
    ARN: expect.stringMatching(
      /^arn:aws:secretsmanager:us-east-1:000000000000:secret:app\/db-[A-Za-z0-9]{6}$/,
    ) as string,
    Name: 'app/db',
    VersionId: token('a'),
  })
  expect(call.GetSecretValue({ SecretId: 'app/db' })).toEqual({
    ARN: made.ARN,
    Name: 'app/db',
    VersionId: token('a'),
    SecretString: 'one',
    VersionStages: current,
    CreatedDate: new Date(context.clock.now()),
  })
})

test('rows hold no value openly', async () => {
  const { context } = await withSecret({ SecretString: 'PLANTED' })
  expect(JSON.stringify(context.store.list('secretVersion'))).not.toContain('PLANTED')
})

test('a sealed value cannot be moved to another version', async () => {
  const { context, call, ARN } = await withSecret()
  call.PutSecretValue({ SecretId: ARN, SecretString: 'two', ClientRequestToken: token('b') })
  context.store.update((tx) => {
    const [first, second] = ['a', 'b'].map((letter) =>
      tx.find('secretVersion', versionKey({ secretArn: ARN, versionId: token(letter) })),
    )
    if (first && second) tx.put('secretVersion', { ...second, sealed: first.sealed })
  })
  expect(() => call.GetSecretValue({ SecretId: ARN })).toThrow('unable to authenticate data')
})

test('is found by its name, its ARN, and its ARN without the last characters', async () => {
  const { call, ARN } = await withSecret()
  for (const SecretId of ['app/db', ARN, ARN.slice(0, -7)])
    expect(call.DescribeSecret({ SecretId }).Name).toBe('app/db')
  for (const SecretId of ['app', 'app/db-', ARN.replace('us-east-1', 'eu-west-1')])
    expect(failure(() => call.DescribeSecret({ SecretId }))).toMatchObject(notFound)
})

test('of another account only what a resource policy shares is read', async () => {
  const { context, call, ARN } = await withSecret()
  const stranger = api({
    ...context,
    scope: { accountId: '111111111111', region: 'us-east-1' },
    caller: { accountId: '111111111111', arn: 'arn:aws:iam::111111111111:root', userId: '111111111111' },
  })
  expect(failure(() => stranger.GetSecretValue({ SecretId: 'app/db' }))).toMatchObject(notFound)
  expect(failure(() => stranger.GetSecretValue({ SecretId: ARN }))).toMatchObject({
    name: 'AccessDeniedException',
  })
  const ResourcePolicy = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS: '111111111111' }, Action: '*', Resource: '*' },
  })
  call.PutResourcePolicy({ SecretId: ARN, ResourcePolicy })
  expect(stranger.GetSecretValue({ SecretId: ARN }).SecretString).toBe('one')
})

describe('CreateSecret', () => {
  test('may be repeated with its token, and with nothing else', async () => {
    const { call, made } = await withSecret()
    const same = { Name: 'app/db', SecretString: 'one', ClientRequestToken: token('a') }
    expect(call.CreateSecret(same)).toEqual(made)
    expect(failure(() => call.CreateSecret({ ...same, SecretString: 'two' }))).toMatchObject(
      error(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${token('a')} because that value is already in use for a version of secret ${made.ARN}.`,
      ),
    )
    expect(failure(() => call.CreateSecret({ ...same, ClientRequestToken: token('b') }))).toMatchObject(
      error('ResourceExistsException', 'The operation failed because the secret app/db already exists.'),
    )
  })

  test('without a value makes no version', async () => {
    const { call, made } = await withSecret({})
    expect(made).not.toHaveProperty('VersionId')
    expect(call.DescribeSecret({ SecretId: 'app/db' })).not.toHaveProperty('VersionIdsToStages')
    expect(failure(() => call.GetSecretValue({ SecretId: 'app/db' }))).toMatchObject(
      error(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      ),
    )
    // Whatever its labels are to be, the first value is the current one.
    call.PutSecretValue({
      SecretId: 'app/db',
      SecretString: 'one',
      VersionStages: ['MINE'],
      ClientRequestToken: token('b'),
    })
    expect(call.GetSecretValue({ SecretId: 'app/db' }).VersionStages).toEqual(['AWSCURRENT', 'MINE'])
  })

  const nameText =
    'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!'
  test.each([
    [{ Name: 'a b' }, 'ValidationException', nameText],
    [{ Name: 'a:b' }, 'ValidationException', nameText],
    [
      { SecretString: 'a', SecretBinary: new Uint8Array([1]) },
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    ],
    [
      { SecretString: 'x'.repeat(65_537) },
      'ValidationException',
      "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536",
    ],
    [
      { ClientRequestToken: undefined },
      'InvalidRequestException',
      'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
    ],
    [
      { ClientRequestToken: 'short' },
      'InvalidParameterException',
      'ClientRequestToken must be 32-64 characters long.',
    ],
    [
      { AddReplicaRegions: [{ Region: 'eu-west-1' }] },
      'UnsupportedFeatureException',
      'Berth does not support replica secrets yet. Create the secret in each region.',
    ],
    [
      { Tags: [{ Key: 'aws:x', Value: '' }] },
      'InvalidParameterException',
      "Tag keys can't start with the prefix aws:. Key: aws:x",
    ],
  ])('refuses %j', async (more, name, message) => {
    const context = await testContext()
    const input = { Name: 'a', ClientRequestToken: token('a'), ...more }
    expect(failure(() => api(context).CreateSecret(input))).toMatchObject(error(name, message))
    expect(context.store.list('secret')).toEqual([])
  })
})

describe('versions', () => {
  test('a new value takes AWSCURRENT, and the last but one has no label left', async () => {
    const { call } = await withSecret()
    for (const letter of ['b', 'c'])
      call.PutSecretValue({ SecretId: 'app/db', SecretString: letter, ClientRequestToken: token(letter) })
    expect(call.DescribeSecret({ SecretId: 'app/db' }).VersionIdsToStages).toEqual({
      [token('b')]: ['AWSPREVIOUS'],
      [token('c')]: current,
    })
    const ids = (IncludeDeprecated: boolean) =>
      call
        .ListSecretVersionIds({ SecretId: 'app/db', IncludeDeprecated })
        .Versions?.map(({ VersionId }) => VersionId)
    expect(ids(false)).toEqual([token('b'), token('c')])
    expect(ids(true)).toEqual([token('a'), token('b'), token('c')])
    const value = (which: object) => call.GetSecretValue({ SecretId: 'app/db', ...which }).SecretString
    expect(value({ VersionStage: 'AWSPREVIOUS' })).toBe('b')
    expect(value({ VersionId: token('a') })).toBe('one')
    expect(value({ VersionId: token('c'), VersionStage: 'AWSCURRENT' })).toBe('c')
  })

  test.each([
    [
      { VersionStage: 'AWSPREVIOUS' },
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    ],
    [
      { VersionId: token('z') },
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for VersionId: ${token('z')}`,
    ],
    [
      { VersionId: token('a'), VersionStage: 'MINE' },
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    ],
  ])('%j is not there', async (which, name, message) => {
    const { call } = await withSecret()
    expect(failure(() => call.GetSecretValue({ SecretId: 'app/db', ...which }))).toMatchObject(
      error(name, message),
    )
  })

  test('a repeated PutSecretValue makes no second version', async () => {
    const { call, context } = await withSecret()
    const again = { SecretId: 'app/db', SecretString: 'two', ClientRequestToken: token('b') }
    const first = call.PutSecretValue(again)
    expect(call.PutSecretValue(again)).toEqual(first)
    expect(context.store.list('secretVersion')).toHaveLength(2)
    expect(failure(() => call.PutSecretValue({ ...again, SecretString: 'three' }))).toMatchObject({
      name: 'ResourceExistsException',
    })
  })

  test('a binary value comes back as it was', async () => {
    const bytes = new Uint8Array([0, 1, 2, 255])
    const { call } = await withSecret({ SecretBinary: bytes })
    expect(call.GetSecretValue({ SecretId: 'app/db' })).toMatchObject({ SecretBinary: bytes })
  })

  test('a pending value becomes the current one when its label is moved', async () => {
    const { call } = await withSecret()
    const [pending] = ['AWSPENDING']
    call.PutSecretValue({
      SecretId: 'app/db',
      SecretString: 'two',
      VersionStages: [pending ?? ''],
      ClientRequestToken: token('b'),
    })
    const move = { SecretId: 'app/db', VersionStage: 'AWSCURRENT', MoveToVersionId: token('b') }
    expect(failure(() => call.UpdateSecretVersionStage(move))).toMatchObject(
      error(
        'InvalidParameterException',
        `The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${token('a')}, so you must explicitly reference that version in RemoveFromVersionId.`,
      ),
    )
    call.UpdateSecretVersionStage({ ...move, RemoveFromVersionId: token('a') })
    expect(call.DescribeSecret({ SecretId: 'app/db' }).VersionIdsToStages).toEqual({
      [token('a')]: ['AWSPREVIOUS'],
      [token('b')]: ['AWSCURRENT', 'AWSPENDING'],
    })
    call.UpdateSecretVersionStage({
      SecretId: 'app/db',
      VersionStage: 'AWSPENDING',
      RemoveFromVersionId: token('b'),
    })
    expect(call.GetSecretValue({ SecretId: 'app/db' })).toMatchObject({
      SecretString: 'two',
      VersionStages: current,
    })
  })
})

test('UpdateSecret changes what it is given, and only a value makes a version', async () => {
  const { call } = await withSecret()
  const update = (more: object, letter: string) =>
    call.UpdateSecret({ SecretId: 'app/db', ClientRequestToken: token(letter), ...more })
  expect(update({ Description: 'of the app' }, 'b')).not.toHaveProperty('VersionId')
  expect(update({ SecretString: 'two' }, 'c')).toMatchObject({ VersionId: token('c') })
  expect(call.DescribeSecret({ SecretId: 'app/db' })).toMatchObject({
    Description: 'of the app',
    VersionIdsToStages: { [token('a')]: ['AWSPREVIOUS'], [token('c')]: current },
  })
})

describe('DeleteSecret', () => {
  const dayMs = 86_400_000

  test('keeps the secret for its recovery window, in which it shows no value and can come back', async () => {
    const { call, context } = await withSecret()
    const { DeletionDate } = call.DeleteSecret({ SecretId: 'app/db', RecoveryWindowInDays: 7 })
    expect(DeletionDate).toEqual(new Date(context.clock.now() + 7 * dayMs))
    for (const operation of [
      () => call.GetSecretValue({ SecretId: 'app/db' }),
      () => call.DeleteSecret({ SecretId: 'app/db' }),
      () => call.TagResource({ SecretId: 'app/db', Tags: [{ Key: 'a', Value: '' }] }),
    ])
      expect(failure(operation)).toMatchObject(marked)
    expect(call.DescribeSecret({ SecretId: 'app/db' }).DeletedDate).toEqual(new Date(context.clock.now()))
    expect(call.ListSecrets({}).SecretList).toEqual([])
    expect(call.ListSecrets({ IncludePlannedDeletion: true }).SecretList).toHaveLength(1)
    expect(
      failure(() => call.CreateSecret({ Name: 'app/db', ClientRequestToken: token('b') })),
    ).toMatchObject(
      error(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      ),
    )
    call.RestoreSecret({ SecretId: 'app/db' })
    expect(call.GetSecretValue({ SecretId: 'app/db' }).SecretString).toBe('one')
  })

  test('forgets it when the window is over, and not before', async () => {
    const { call, context } = await withSecret()
    call.TagResource({ SecretId: 'app/db', Tags: [{ Key: 'team', Value: 'a' }] })
    call.DeleteSecret({ SecretId: 'app/db' })
    const reaper = taskReaper()
    const look = () => context.store.update((tx) => void reaper.reconcile(tx, context.clock.now(), undefined))
    context.clock.advance(30 * dayMs - 1)
    look()
    expect(context.store.list('secret')).toHaveLength(1)
    context.clock.advance(1)
    look()
    for (const table of ['secret', 'secretVersion', 'resourceTags'] as const)
      expect(context.store.list(table)).toEqual([])
  })

  test('without recovery forgets it at once, and one that is not there too', async () => {
    const { call, context, ARN } = await withSecret()
    call.DeleteSecret({ SecretId: 'app/db' })
    expect(call.DeleteSecret({ SecretId: ARN, ForceDeleteWithoutRecovery: true }).ARN).toBe(ARN)
    expect(context.store.list('secretVersion')).toEqual([])
    expect(call.DeleteSecret({ SecretId: 'app/db', ForceDeleteWithoutRecovery: true }).Name).toBe('app/db')
    expect(call.CreateSecret({ Name: 'app/db', ClientRequestToken: token('b') }).ARN).not.toBe(ARN)
  })

  test.each([
    [
      { RecoveryWindowInDays: 6 },
      'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
    ],
    [
      { RecoveryWindowInDays: 31 },
      'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
    ],
    [
      { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true },
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    ],
  ])('refuses %j', async (more, message) => {
    const { call } = await withSecret()
    expect(failure(() => call.DeleteSecret({ SecretId: 'app/db', ...more }))).toMatchObject(
      error('InvalidParameterException', message),
    )
  })
})
