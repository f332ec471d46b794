import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { createAccessKey, listAccessKeys } from './access-key.ts'
import { createUser, updateUser } from './user.ts'

test("a user's keys move with the user's name", async () => {
  const context = await testContext()
  createUser.run(context, { UserName: 'ann' })
  const { AccessKey } = createAccessKey.run(context, { UserName: 'ann' })
  expect(AccessKey?.AccessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
  updateUser.run(context, { UserName: 'ann', NewUserName: 'anna' })
  expect(listAccessKeys.run(context, { UserName: 'anna' }).AccessKeyMetadata).toMatchObject([
    { UserName: 'anna', Status: 'Active' },
  ])
  expect(context.store.list('accessKey')[0]?.principalArn).toBe('arn:aws:iam::000000000000:user/anna')
})
