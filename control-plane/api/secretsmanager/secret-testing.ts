/** What the tests of Secrets Manager begin with. */
import { callsOn, type Calls } from '#api/calls-testing.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { operations } from './operations.ts'

export const token = (letter: string): string => letter.repeat(32)

export const api = (context: TestContext): Calls<typeof operations> => callsOn(operations, context)

export const error = (name: string, message: string): object => ({ name, message })

/** A context with the secret `app/db`, whose first version is `token('a')`. */
export const withSecret = (value: object = { SecretString: 'one' }) =>
  testContext().then((context) => {
    const call = api(context)
    const made = call.CreateSecret({ Name: 'app/db', ClientRequestToken: token('a'), ...value })
    return { context, call, ARN: made.ARN ?? '', made }
  })
