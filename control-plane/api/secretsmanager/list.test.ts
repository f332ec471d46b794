import { describe, expect, test } from 'vitest'
import { failure } from '#api/calls-testing.ts'
import { testContext } from '#api/testing.ts'
import { api, token, withSecret } from './secret-testing.ts'

describe('ListSecrets', () => {
  async function listed(input: object) {
    const context = await testContext()
    const call = api(context)
    const make = (Name: string, Description: string, Tags: Array<{ Key: string; Value: string }> = []) => {
      context.clock.advance(1)
      call.CreateSecret({ Name, Description, Tags, ClientRequestToken: token('a') })
    }
    make('prod/db', 'The Database of the shop', [{ Key: 'team', Value: 'shop' }])
    make('prod/api', 'a key')
    make('test/db', 'a database')
    return call.ListSecrets(input).SecretList?.map(({ Name }) => Name)
  }

  test.each([
    [{}, ['test/db', 'prod/api', 'prod/db']],
    [{ SortOrder: 'asc' }, ['prod/db', 'prod/api', 'test/db']],
    [{ SortBy: 'name', SortOrder: 'asc' }, ['prod/api', 'prod/db', 'test/db']],
    [{ Filters: [{ Key: 'name', Values: ['prod/'] }] }, ['prod/api', 'prod/db']],
    [{ Filters: [{ Key: 'name', Values: ['!prod/'] }] }, ['test/db']],
    [{ Filters: [{ Key: 'description', Values: ['data'] }] }, ['test/db', 'prod/db']],
    [{ Filters: [{ Key: 'tag-key', Values: ['team'] }] }, ['prod/db']],
    [{ Filters: [{ Key: 'tag-value', Values: ['shop', 'other'] }] }, ['prod/db']],
    [{ Filters: [{ Key: 'all', Values: ['key'] }] }, ['prod/api']],
    [
      {
        Filters: [
          { Key: 'name', Values: ['prod'] },
          { Key: 'all', Values: ['db'] },
        ],
      },
      ['prod/db'],
    ],
    [{ Filters: [{ Key: 'owning-service', Values: ['rds'] }] }, []],
  ])('%j gives %j', async (input, names) => {
    expect(await listed(input)).toEqual(names)
  })

  test('gives pages', async () => {
    const context = await testContext()
    const call = api(context)
    for (let number = 0; number < 5; number++)
      call.CreateSecret({ Name: `s${number}`, ClientRequestToken: token('a') })
    const found: Array<string | undefined> = []
    let NextToken: string | undefined
    do {
      const page = call.ListSecrets({ MaxResults: 2, SortBy: 'name', SortOrder: 'asc', NextToken })
      found.push(...(page.SecretList ?? []).map(({ Name }) => Name))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    expect(found).toEqual(['s0', 's1', 's2', 's3', 's4'])
    expect(failure(() => call.ListSecrets({ NextToken: 'made up' }))).toMatchObject({
      name: 'InvalidNextTokenException',
    })
  })
})

test('BatchGetSecretValue tells of each what it can', async () => {
  const { call, ARN } = await withSecret()
  expect(call.BatchGetSecretValue({ SecretIdList: ['app/db', 'none'] })).toMatchObject({
    SecretValues: [{ ARN, SecretString: 'one' }],
    Errors: [{ SecretId: 'none', ErrorCode: 'ResourceNotFoundException' }],
  })
  const Filters = [{ Key: 'name' as const, Values: ['app'] }]
  expect(call.BatchGetSecretValue({ Filters }).SecretValues).toMatchObject([{ ARN }])
  for (const input of [{}, { SecretIdList: ['app/db'], Filters }, { SecretIdList: ['a'], MaxResults: 1 }])
    expect(failure(() => call.BatchGetSecretValue(input))).toMatchObject({
      name: 'InvalidParameterException',
    })
})

describe('GetRandomPassword', () => {
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9 ]/]
  test.each([
    [{}, 32, [true, true, true, true]],
    [{ PasswordLength: 4 }, 4, [true, true, true, true]],
    [{ ExcludePunctuation: true, ExcludeNumbers: true }, 32, [true, true, false, false]],
    [
      { ExcludeLowercase: true, ExcludeUppercase: true, ExcludePunctuation: true },
      32,
      [false, false, true, false],
    ],
  ])('%j', async (input, length, has) => {
    const call = api(await testContext())
    for (let again = 0; again < 20; again++) {
      const { RandomPassword = '' } = call.GetRandomPassword(input)
      expect(RandomPassword).toHaveLength(length)
      expect(classes.map((each) => each.test(RandomPassword))).toEqual(has)
    }
  })

  test.each([
    [{ PasswordLength: 3 }, 'Password length is too short based on the required types.'],
    [{ PasswordLength: 4097 }, /less than or equal to 4096/],
    [
      {
        ExcludeLowercase: true,
        ExcludeUppercase: true,
        ExcludeNumbers: true,
        ExcludePunctuation: true,
      },
      'The password must contain at least one type of character.',
    ],
  ])('refuses %j', async (input, message) => {
    const call = api(await testContext())
    expect(() => call.GetRandomPassword(input)).toThrow(message)
  })

  test('never uses what is excluded', async () => {
    const call = api(await testContext())
    const { RandomPassword = '' } = call.GetRandomPassword({
      PasswordLength: 500,
      ExcludeCharacters: 'abc"@/\\',
    })
    expect(RandomPassword).not.toMatch(/[abc"@/\\]/)
  })
})

describe('resource policies', () => {
  const statement = { Effect: 'Allow', Principal: { AWS: '*' }, Action: '*', Resource: '*' }
  const open = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })

  test('are kept as they were given', async () => {
    const { call } = await withSecret()
    call.PutResourcePolicy({ SecretId: 'app/db', ResourcePolicy: open })
    expect(call.GetResourcePolicy({ SecretId: 'app/db' }).ResourcePolicy).toBe(open)
    call.DeleteResourcePolicy({ SecretId: 'app/db' })
    expect(call.GetResourcePolicy({ SecretId: 'app/db' })).not.toHaveProperty('ResourcePolicy')
  })

  test('that let in everybody are refused and found when that is asked for', async () => {
    const { call } = await withSecret()
    const input = { SecretId: 'app/db', ResourcePolicy: open, BlockPublicPolicy: true }
    expect(failure(() => call.PutResourcePolicy(input))).toMatchObject({ name: 'PublicPolicyException' })
    expect(call.ValidateResourcePolicy({ ResourcePolicy: open })).toMatchObject({
      PolicyValidationPassed: false,
    })
    const closed = JSON.stringify({ Statement: { ...statement, Principal: { AWS: '123456789012' } } })
    expect(call.ValidateResourcePolicy({ ResourcePolicy: closed })).toEqual({
      PolicyValidationPassed: true,
      ValidationErrors: [],
    })
  })

  test.each(['{', '[]', '{}', '{"Statement":[{"Effect":"Maybe"}]}'])('%s is none', async (ResourcePolicy) => {
    const { call } = await withSecret()
    expect(failure(() => call.PutResourcePolicy({ SecretId: 'app/db', ResourcePolicy }))).toMatchObject({
      name: 'MalformedPolicyDocumentException',
    })
  })
})
