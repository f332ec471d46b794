import { describe, expect, test } from 'vitest'
import { callsOn, failure } from '#api/calls-testing.ts'
import { operations as secretsmanager } from '#api/secretsmanager/operations.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { started } from './parameter-testing.ts'

const arn = (path: string) => `arn:aws:ssm:us-east-1:000000000000:parameter${path}`
const error = (name: string, message: string) => expect.objectContaining({ name, message }) as Error
const prefixed = 'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).'
const badName =
  'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_'

const namesOf = (parameters: ReadonlyArray<{ Name?: string | undefined }> | undefined) =>
  parameters?.map(({ Name }) => Name)

test('a parameter is read by its name, its ARN, its versions and their labels', async () => {
  const { context, call, put } = await started()
  expect(put('/a/b', 'one')).toEqual({ Version: 1, Tier: 'Standard' })
  expect(put('/a/b', 'two', { Overwrite: true })).toEqual({ Version: 2, Tier: 'Standard' })
  call.LabelParameterVersion({ Name: '/a/b', ParameterVersion: 1, Labels: ['stable'] })
  expect(call.GetParameter({ Name: '/a/b' }).Parameter).toEqual({
    Name: '/a/b',
    Type: 'String',
    Value: 'two',
    Version: 2,
    LastModifiedDate: new Date(context.clock.now()),
    ARN: arn('/a/b'),
    DataType: 'text',
  })
  const value = (Name: string) => call.GetParameter({ Name }).Parameter
  expect(value(arn('/a/b'))).toMatchObject({ Name: '/a/b', Value: 'two' })
  expect(value('/a/b:1')).toMatchObject({ Name: '/a/b', Value: 'one', Selector: ':1' })
  expect(value('/a/b:stable')).toMatchObject({ Value: 'one', Selector: ':stable' })
  expect(value(`${arn('/a/b')}:stable`)).toMatchObject({ Value: 'one' })
})

test.each([
  ['/none', 'ParameterNotFound', 'Parameter /none not found.'],
  ['/a:1:2', 'ParameterNotFound', 'Parameter /a:1:2 not found.'],
  [
    '/a:9',
    'ParameterVersionNotFound',
    'Systems Manager could not find version 9 of /a. Verify the version and try again.',
  ],
  [
    '/a:none',
    'ParameterVersionNotFound',
    'Systems Manager could not find label none for parameter /a. Verify the label and try again.',
  ],
  [
    'arn:aws:ssm:eu-west-1:000000000000:parameter/a',
    'ParameterNotFound',
    'Parameter arn:aws:ssm:eu-west-1:000000000000:parameter/a not found.',
  ],
])('%s is not there', async (Name, name, message) => {
  const { call } = await started('/a')
  expect(failure(() => call.GetParameter({ Name }))).toEqual(error(name, message))
  expect(call.GetParameters({ Names: [Name] })).toEqual({ Parameters: [], InvalidParameters: [Name] })
})

test('a name and the same with a slash before it are one parameter, shown as it was asked for', async () => {
  const { call, put } = await started('foo')
  expect(failure(() => put('/foo'))).toMatchObject({ name: 'ParameterAlreadyExists' })
  for (const Name of ['foo', '/foo'])
    expect(call.GetParameters({ Names: [Name] }).Parameters).toMatchObject([{ Name, Value: 'foo' }])
  expect(call.GetParameter({ Name: arn('/foo') }).Parameter).toMatchObject({ Name: 'foo' })
})

test('a SecureString is sealed in its row, and shown only decrypted or sealed', async () => {
  const { context, call, put } = await started()
  put('/s', 'PLANTED', { Type: 'SecureString' })
  expect(JSON.stringify(context.store.list('parameterVersion'))).not.toContain('PLANTED')
  const value = (WithDecryption: boolean) =>
    call.GetParameter({ Name: '/s', WithDecryption }).Parameter?.Value
  expect(value(true)).toBe('PLANTED')
  expect(value(false)).toMatch(/^v1\./)
  expect(call.DescribeParameters({}).Parameters).toMatchObject([{ KeyId: 'alias/aws/ssm' }])
  expect(JSON.stringify(call.GetParameterHistory({ Name: '/s' }))).not.toContain('PLANTED')
  expect(call.GetParameterHistory({ Name: '/s', WithDecryption: true }).Parameters).toMatchObject([
    { Value: 'PLANTED', Labels: [] },
  ])
})

describe('PutParameter', () => {
  test.each([
    [{ Name: 'aws_a' }, 'ValidationException', prefixed],
    [{ Name: '/SSM' }, 'ValidationException', prefixed],
    [{ Name: '/ssm/a' }, 'ValidationException', badName],
    [{ Name: '/a b' }, 'ValidationException', badName],
    [{ Name: arn('/a') }, 'ValidationException', badName],
    [{ Name: 'a/b' }, 'ValidationException', 'Parameter name must be a fully qualified name.'],
    [
      { Name: '/aws/service/a' },
      'AccessDeniedException',
      'No access to reserved parameter name: /aws/service/a.',
    ],
    [
      { Name: '/x'.repeat(16) },
      'HierarchyLevelLimitExceededException',
      'A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for parameter names in the Systems Manager User Guide.',
    ],
    [
      { Value: '' },
      'ValidationException',
      "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.",
    ],
    [
      { Value: '{{ssm:/b}}' },
      'ValidationException',
      'Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.',
    ],
    [{ Type: undefined }, 'ValidationException', 'A parameter type is required when you create a parameter.'],
    [
      { Type: 'Text' },
      'ValidationException',
      "1 validation error detected: Value 'Text' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]",
    ],
    [
      { DataType: 'TEXT' },
      'ValidationException',
      'The following data type is not supported: TEXT (Data type names are all lowercase.)',
    ],
    [{ KeyId: 'alias/a' }, 'ValidationException', 'KeyId is required for SecureString type parameter only.'],
    [
      { AllowedPattern: '^[0-9]+$' },
      'ParameterPatternMismatchException',
      'Parameter value, cannot be validated against allowedPattern: ^[0-9]+$',
    ],
    [
      { AllowedPattern: '(' },
      'InvalidAllowedPatternException',
      'The request does not meet the regular expression requirement.',
    ],
    [
      { AllowedPattern: '^(a+)+$', Value: `${'a'.repeat(60)}b` },
      'InvalidAllowedPatternException',
      'The request does not meet the regular expression requirement.',
    ],
    [
      { Value: 'x'.repeat(8193), Tier: 'Advanced' },
      'ValidationException',
      'Advanced tier parameters support a maximum parameter value of 8192 characters.',
    ],
    [
      { Tags: [{ Key: 'a', Value: '' }], Overwrite: true },
      'ValidationException',
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
    ],
    [
      { Tier: 'Advanced', Policies: '[{"Type":"Never","Version":"1.0"}]' },
      'InvalidPolicyTypeException',
      'The policy type is not supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.',
    ],
  ])('refuses %j', async (more, name, message) => {
    const { context, put } = await started()
    expect(failure(() => put('/a', 'a', more))).toEqual(error(name, message))
    expect(context.store.list('parameter')).toEqual([])
  })

  test('says what to do with a value that is too large for the tier', async () => {
    const { put } = await started()
    const large = 'x'.repeat(4097)
    expect(() => put('/a', large)).toThrow(
      /^Standard tier parameters support a maximum parameter value of 4096 characters\./,
    )
    expect(put('/a', large, { Tier: 'Intelligent-Tiering' })).toEqual({ Version: 1, Tier: 'Advanced' })
    expect(() => put('/a', 'x', { Tier: 'Standard', Overwrite: true })).toThrow(
      /^This parameter uses the advanced/,
    )
    expect(put('/a', 'x', { Overwrite: true }).Tier).toBe('Advanced')
  })

  test('overwrites only when told to, keeps what is not said, and never the type', async () => {
    const { call, put } = await started()
    put('/a', '1', { Description: 'a number', AllowedPattern: '^\\d+$' })
    expect(failure(() => put('/a', '2'))).toEqual(
      error(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      ),
    )
    call.PutParameter({ Name: '/a', Value: '2', Overwrite: true })
    expect(failure(() => call.PutParameter({ Name: '/a', Value: 'x', Overwrite: true }))).toMatchObject({
      name: 'ParameterPatternMismatchException',
    })
    expect(failure(() => put('/a', '3', { Type: 'SecureString', Overwrite: true }))).toMatchObject({
      name: 'HierarchyTypeMismatchException',
    })
    expect(call.DescribeParameters({}).Parameters).toMatchObject([
      { Name: '/a', Version: 2, Description: 'a number', AllowedPattern: '^\\d+$', DataType: 'text' },
    ])
  })

  test('keeps a hundred versions, and none that has a label is lost', async () => {
    const { call, put } = await started('/a')
    for (let version = 2; version <= 101; version++) put('/a', String(version), { Overwrite: true })
    const { Parameters } = call.GetParameterHistory({ Name: '/a' })
    expect(Parameters?.[0]?.Version).toBe(2)
    call.LabelParameterVersion({ Name: '/a', ParameterVersion: 2, Labels: ['kept'] })
    expect(failure(() => put('/a', 'more', { Overwrite: true }))).toMatchObject({
      name: 'ParameterMaxVersionLimitExceeded',
    })
  })

  test('an Expiration policy ends the parameter in its time', async () => {
    const { context, call, put } = await started()
    const Timestamp = new Date(context.clock.now() + 1000).toISOString()
    const policy = { Type: 'Expiration', Version: '1.0', Attributes: { Timestamp } }
    const more = { Tier: 'Advanced', Policies: JSON.stringify([policy]) }
    put('/a', 'a', more)
    expect(call.DescribeParameters({}).Parameters?.[0]?.Policies).toEqual([
      { PolicyText: JSON.stringify(policy), PolicyType: 'Expiration', PolicyStatus: 'Pending' },
    ])
    expect(failure(() => put('/b', 'a', { Policies: more.Policies }))).toMatchObject({
      name: 'ValidationException',
    })
    context.clock.advance(1000)
    expect(failure(() => call.GetParameter({ Name: '/a' }))).toMatchObject({ name: 'ParameterNotFound' })
    const reaper = taskReaper()
    context.store.update((tx) => void reaper.reconcile(tx, context.clock.now(), undefined))
    expect(context.store.list('parameterVersion')).toEqual([])
  })
})

describe('GetParametersByPath', () => {
  test.each([
    ['/', false, ['/x', 'y']],
    ['/a', false, ['/a/b', '/a/c']],
    ['/a/', true, ['/a/b', '/a/c', '/a/c/d']],
    ['/a/b', true, []],
    ['/none', true, []],
  ])('%s, recursive %s', async (Path, Recursive, names) => {
    const { call } = await started('/x', 'y', '/a/b', '/a/c', '/a/c/d', '/ab/c')
    expect(namesOf(call.GetParametersByPath({ Path, Recursive }).Parameters)).toEqual(names)
  })

  test('gives pages of ten at most, and all in the end', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `/p/${String(index).padStart(2, '0')}`)
    const { call } = await started(...names)
    const found: Array<string | undefined> = []
    let NextToken: string | undefined
    do {
      const page = call.GetParametersByPath({ Path: '/p', NextToken })
      expect(page.Parameters?.length).toBeLessThanOrEqual(10)
      found.push(...(namesOf(page.Parameters) ?? []))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    expect(found).toEqual(names)
    expect(failure(() => call.GetParametersByPath({ Path: '/p', NextToken: 'x' }))).toMatchObject({
      name: 'InvalidNextToken',
    })
  })

  test('shows what AWS publishes to who names its hierarchy', async () => {
    const { call } = await started()
    const Path = '/aws/service/ecs/optimized-ami/amazon-linux-2023'
    expect(namesOf(call.GetParametersByPath({ Path }).Parameters)).toEqual([`${Path}/recommended`])
    const { Parameter } = call.GetParameter({ Name: `${Path}/recommended` })
    expect(JSON.parse(Parameter?.Value ?? '')).toMatchObject({ image_id: 'ami-0be7400000000000a' })
    expect(Parameter?.ARN).toBe(`arn:aws:ssm:us-east-1::parameter${Path}/recommended`)
  })
})

describe('filters of DescribeParameters', () => {
  test.each([
    [[{ Key: 'Name', Values: ['/a/b'] }], ['/a/b']],
    [[{ Key: 'Name', Option: 'BeginsWith', Values: ['/a'] }], ['/a/b', '/a/c/d']],
    [[{ Key: 'Name', Option: 'Contains', Values: ['c'] }], ['/a/c/d']],
    [[{ Key: 'Name', Values: ['plain'] }], ['plain']],
    [[{ Key: 'Path', Values: ['/a'] }], ['/a/b']],
    [[{ Key: 'Path', Option: 'Recursive', Values: ['/a'] }], ['/a/b', '/a/c/d']],
    [[{ Key: 'Type', Values: ['SecureString'] }], ['/s']],
    [[{ Key: 'KeyId', Values: ['alias/mine'] }], ['/s']],
    [[{ Key: 'tag:team', Values: ['a'] }], ['/s']],
    [[{ Key: 'tag:team' }], ['/s']],
    [[{ Key: 'tag:team', Values: ['b'] }], []],
    [[{ Key: 'Tier', Values: ['Advanced'] }], []],
    [
      [
        { Key: 'Type', Values: ['String'] },
        { Key: 'Path', Option: 'Recursive', Values: ['/a'] },
      ],
      ['/a/b', '/a/c/d'],
    ],
  ])('%j', async (ParameterFilters, names) => {
    const { call, put } = await started('/a/b', '/a/c/d', 'plain')
    put('/s', 's', { Type: 'SecureString', KeyId: 'alias/mine', Tags: [{ Key: 'team', Value: 'a' }] })
    expect(namesOf(call.DescribeParameters({ ParameterFilters }).Parameters)).toEqual(names)
  })

  test.each([
    [
      [{ Key: 'Label', Values: ['a'] }],
      'InvalidFilterKey',
      'The following filter key is not valid: Label. Valid filter keys include: [Path, Name, Type, KeyId, Tier].',
    ],
    [
      [{ Key: 'Name' }],
      'InvalidFilterValue',
      'The following filter values are missing : null for filter key Name.',
    ],
    [
      [{ Key: 'Name', Option: 'Recursive', Values: ['a'] }],
      'InvalidFilterOption',
      'The following filter option is not valid: Recursive. Valid options include: [BeginsWith, Equals, Contains].',
    ],
    [
      [{ Key: 'Type', Values: ['Text'] }],
      'InvalidFilterOption',
      'The following filter value is not valid: Text. Valid values include: [String, StringList, SecureString].',
    ],
    [
      [{ Key: 'None', Values: ['a'] }],
      'ValidationException',
      "1 validation error detected: Value 'None' at 'parameterFilters.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType",
    ],
  ])('%j is refused', async (ParameterFilters, name, message) => {
    const { call } = await started()
    expect(failure(() => call.DescribeParameters({ ParameterFilters }))).toEqual(error(name, message))
  })
})

test('a secret of Secrets Manager is a parameter too', async () => {
  const { context, call } = await started()
  const { CreateSecret } = callsOn(secretsmanager, context)
  CreateSecret({ Name: 'app/db', SecretString: 'hidden', ClientRequestToken: 'a'.repeat(32) })
  const Name = '/aws/reference/secretsmanager/app/db'
  expect(call.GetParameter({ Name, WithDecryption: true }).Parameter).toMatchObject({
    Name,
    Type: 'SecureString',
    Value: 'hidden',
  })
  expect(() => call.GetParameter({ Name })).toThrow(
    'WithDecryption flag must be True for retrieving a Secret Manager secret.',
  )
  expect(call.GetParameters({ Names: [`${Name}none`], WithDecryption: true }).InvalidParameters).toEqual([
    `${Name}none`,
  ])
})
