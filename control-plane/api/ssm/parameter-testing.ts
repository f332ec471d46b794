/** What the tests of Parameter Store begin with. */
import { callsOn } from '#api/calls-testing.ts'
import { testContext } from '#api/testing.ts'
import { operations } from './operations.ts'

/** A context with String parameters of these names, each with its name as its value. */
export const started = (...names: readonly string[]) =>
  testContext().then((context) => {
    const call = callsOn(operations, context)
    const put = (Name: string, Value = Name, more: object = {}) =>
      call.PutParameter({ Name, Value, Type: 'String', ...more })
    for (const name of names) put(name)
    return { context, call, put }
  })
