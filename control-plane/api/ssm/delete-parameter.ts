import type {
  DeleteParameterRequest,
  DeleteParametersRequest,
  DeleteParametersResult,
} from '@aws-sdk/client-ssm'
import { invalid } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { forgetParameter } from '#state/secrets.ts'
import { findParameter, resolveParameter, touched } from './resolve.ts'

const namesMax = 10

export const deleteParameter: Operation<DeleteParameterRequest, Record<string, never>> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, { Name }) =>
    context.store.update((tx) => {
      forgetParameter(tx, resolveParameter(tx, context, Name).parameterArn)
      return {}
    }),
}

export const deleteParameters: Operation<DeleteParametersRequest, DeleteParametersResult> = {
  resources: (context, { Names }) => touched(context, Names),
  run: (context, { Names: names = [] }) => {
    if (names.length > namesMax || names.length === 0)
      invalid(
        `1 validation error detected: Value '[${names.join(', ')}]' at 'names' failed to satisfy constraint: Member must have length ${names.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${namesMax}`}.`,
      )
    return context.store.update((tx) => {
      const deleted: string[] = []
      const missing: string[] = []
      for (const name of new Set(names)) {
        const parameter = findParameter(tx, context, name)
        if (parameter) forgetParameter(tx, parameter.parameterArn)
        ;(parameter ? deleted : missing).push(name)
      }
      return { DeletedParameters: deleted, InvalidParameters: missing }
    })
  },
}
