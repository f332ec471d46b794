import type { SettingName } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import {
  deleteAccountSetting,
  listAccountSettings,
  putAccountSetting,
  putAccountSettingDefault,
} from './account-setting.ts'
import { refusalOf } from './testing-rows.ts'

const root = 'arn:aws:iam::000000000000:root'
const user = 'arn:aws:iam::000000000000:user/ann'

test('nothing is listed before somebody chose; what holds is listed when asked for', async () => {
  const context = await testContext()
  expect(listAccountSettings.run(context, {}).settings).toEqual([])
  const first = listAccountSettings.run(context, { effectiveSettings: true })
  expect(first.settings).toHaveLength(10)
  const rest = listAccountSettings.run(context, {
    effectiveSettings: true,
    ...(first.nextToken !== undefined && { nextToken: first.nextToken }),
  })
  expect(rest.settings).toHaveLength(1)
  expect([...(first.settings ?? []), ...(rest.settings ?? [])]).toContainEqual({
    name: 'serviceLongArnFormat',
    value: 'enabled',
    principalArn: 'arn:aws:iam::000000000000:root',
    type: 'user',
  })
})

test("a principal's own choice goes over the account's default, and away with its deletion", async () => {
  const context = await testContext()
  const ann = { ...context, caller: { ...context.caller, arn: user } }
  const holds = () =>
    listAccountSettings.run(ann, { name: 'awsvpcTrunking', effectiveSettings: true }).settings?.[0]?.value
  expect(holds()).toBe('disabled')
  putAccountSettingDefault.run(context, { name: 'awsvpcTrunking', value: 'enabled' })
  expect(holds()).toBe('enabled')
  putAccountSetting.run(ann, { name: 'awsvpcTrunking', value: 'disabled' })
  expect(holds()).toBe('disabled')
  expect(listAccountSettings.run(ann, {}).settings).toEqual([
    { name: 'awsvpcTrunking', value: 'disabled', principalArn: user, type: 'user' },
  ])
  deleteAccountSetting.run(ann, { name: 'awsvpcTrunking' })
  expect(holds()).toBe('enabled')
})

test.each<[name: SettingName, holds: string, values: readonly string[]]>([
  ['serviceLongArnFormat', 'enabled', ['disabled', 'enabled']],
  ['taskLongArnFormat', 'enabled', ['disabled', 'enabled']],
  ['containerInstanceLongArnFormat', 'enabled', ['disabled', 'enabled']],
  ['awsvpcTrunking', 'disabled', ['enabled', 'disabled']],
  ['containerInsights', 'disabled', ['enabled', 'disabled', 'enhanced']],
  ['fargateFIPSMode', 'disabled', ['enabled', 'disabled']],
  ['tagResourceAuthorization', 'on', ['on', 'off']],
  ['fargateTaskRetirementWaitPeriod', '7', ['0', '7', '14']],
  ['defaultLogDriverMode', 'non-blocking', ['blocking', 'non-blocking']],
  ['fargateEventWindows', 'disabled', ['enabled', 'disabled']],
])('%s is %s until it is one of %j', async (name, holds, values) => {
  const context = await testContext()
  const effective = () => listAccountSettings.run(context, { name, effectiveSettings: true }).settings
  const shown = { name, principalArn: root, type: 'user' }
  expect(effective()).toEqual([{ ...shown, value: holds }])
  for (const value of values) {
    expect(putAccountSetting.run(context, { name, value })).toEqual({ setting: { ...shown, value } })
    expect(listAccountSettings.run(context, { name }).settings).toEqual([{ ...shown, value }])
  }
  const last = values.at(-1)
  for (const value of ['', 'ENABLED', 'much'])
    for (const put of [putAccountSetting, putAccountSettingDefault])
      expect(refusalOf(() => put.run(context, { name, value }))).toBe(
        "InvalidParameterException: Invalid setting 'value'",
      )
  expect(deleteAccountSetting.run(context, { name })).toEqual({ setting: { ...shown, value: last } })
  expect(deleteAccountSetting.run(context, { name })).toEqual({ setting: { ...shown, value: holds } })
  expect(context.store.size('accountSetting')).toBe(0)
})

test.each<[refusal: string, input: { name: SettingName; value: string; principalArn?: string }]>([
  [
    'InvalidParameterException: The setting guardDutyActivate is managed by AWS and cannot be changed.',
    { name: 'guardDutyActivate', value: 'on' },
  ],
  [
    'InvalidParameterException: unknown should be one of [serviceLongArnFormat,taskLongArnFormat,containerInstanceLongArnFormat,containerLongArnFormat,awsvpcTrunking,containerInsights,dualStackIPv6]',
    { name: 'unknown' as 'awsvpcTrunking', value: 'enabled' },
  ],
  [
    "InvalidParameterException: Invalid setting 'principalArn'",
    { name: 'awsvpcTrunking', value: 'enabled', principalArn: 'ann' },
  ],
  [
    "InvalidParameterException: Invalid setting 'principalArn'",
    { name: 'awsvpcTrunking', value: 'enabled', principalArn: 'arn:aws:iam::111111111111:user/ann' },
  ],
  [
    "InvalidParameterException: Invalid setting 'principalArn'",
    { name: 'awsvpcTrunking', value: 'enabled', principalArn: 'arn:aws:iam::000000000000:group/all' },
  ],
])('says: %s', async (refusal, input) => {
  const context = await testContext()
  expect(refusalOf(() => putAccountSetting.run(context, input))).toBe(refusal)
  expect(context.store.size('accountSetting')).toBe(0)
})

test.each<SettingName>(['serviceLongArnFormat', 'taskLongArnFormat', 'containerInstanceLongArnFormat'])(
  'an account keeps %s, as Terraform knows it',
  async (name) => {
    const context = await testContext()
    expect(refusalOf(() => putAccountSettingDefault.run(context, { name, value: 'disabled' }))).toBe(
      'InvalidParameterException: You can no longer disable Long Arn settings',
    )
    expect(context.store.size('accountSetting')).toBe(0)
  },
)

test('the root user sets for all or for a principal; a principal for itself only', async () => {
  const context = await testContext()
  const as = (arn: string) => ({ ...context, caller: { ...context.caller, arn } })
  const setting = { name: 'awsvpcTrunking' as const, value: 'enabled' }
  const own = (caller: typeof context) =>
    listAccountSettings.run(caller, { name: 'awsvpcTrunking' }).settings?.map(({ value }) => value)

  putAccountSetting.run(context, { ...setting, principalArn: user })
  expect([own(as(user)), own(context)]).toEqual([['enabled'], []])
  expect(refusalOf(() => putAccountSetting.run(as(user), { ...setting, principalArn: root }))).toBe(
    'AccessDeniedException: You must be the root user, or the principal, to use principalArn.',
  )
  const session = as('arn:aws:sts::000000000000:assumed-role/deployer/ci')
  expect(putAccountSetting.run(session, setting).setting?.principalArn).toBe(
    'arn:aws:iam::000000000000:role/deployer',
  )
  expect(own(as('arn:aws:sts::000000000000:assumed-role/deployer/other'))).toEqual(['enabled'])
  putAccountSetting.run(as('arn:aws:sts::000000000000:federated-user/bob'), setting)
  expect(own(context)).toEqual(['enabled'])
  expect(listAccountSettings.run(context, { value: 'disabled' }).settings).toEqual([])
})
