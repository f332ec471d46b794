import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import {
  deleteAccountSetting,
  listAccountSettings,
  putAccountSetting,
  putAccountSettingDefault,
} from './account-setting.ts'

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

test('a value that is none and a setting that AWS manages are refused', async () => {
  const context = await testContext()
  const refused = expect.objectContaining({ code: 'InvalidParameterException' })
  expect(() => putAccountSetting.run(context, { name: 'containerInsights', value: 'much' })).toThrow(refused)
  expect(() => putAccountSetting.run(context, { name: 'guardDutyActivate', value: 'on' })).toThrow(refused)
  expect(context.store.size('accountSetting')).toBe(0)
})
