import type {
  LabelParameterVersionRequest,
  LabelParameterVersionResult,
  UnlabelParameterVersionRequest,
  UnlabelParameterVersionResult,
} from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'
import { invalid } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { labelsMax } from '#domain/parameter.ts'
import { resolveParameter, touched, versionNotFound, versionOf } from './resolve.ts'

const labelLengthMax = 100

function checkLabels(labels: readonly string[]): void {
  const say = (constraint: string): never =>
    invalid(
      `1 validation error detected: Value '[${labels.join(', ')}]' at 'labels' failed to satisfy constraint: Member must ${constraint}`,
    )
  if (labels.length < 1) say('have length greater than or equal to 1')
  if (labels.length > labelsMax) say(`have length less than or equal to ${labelsMax}`)
  if (labels.some((label) => label.length < 1 || label.length > labelLengthMax))
    say(
      `satisfy constraint: [Member must have length less than or equal to ${labelLengthMax}, Member must have length greater than or equal to 1]`,
    )
}

const isLabel = (label: string): boolean =>
  /^[a-zA-Z_.-][a-zA-Z0-9_.-]*$/.test(label) && !/^(?:aws|ssm)/i.test(label)

export const labelParameterVersion: Operation<LabelParameterVersionRequest, LabelParameterVersionResult> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, { Name = '', ParameterVersion, Labels = [] }) => {
    checkLabels(Labels)
    return context.store.update((tx) => {
      const parameter = resolveParameter(tx, context, Name)
      const number = ParameterVersion ?? parameter.version
      const version = versionOf(tx, parameter, number) ?? versionNotFound(number, Name)
      const given = [...new Set(Labels)].filter(isLabel)
      const labels = [...new Set([...version.labels, ...given])]
      if (labels.length > labelsMax)
        throw new AwsError(
          'ParameterVersionLabelLimitExceeded',
          `A parameter version can have maximum ${labelsMax} labels.Move one or more labels to another version and try again.`,
        )
      for (const other of tx.by('parameterVersion', 'parameter', parameter.parameterArn))
        if (other.version !== number && other.labels.some((label) => given.includes(label)))
          tx.put('parameterVersion', {
            ...other,
            labels: other.labels.filter((label) => !given.includes(label)),
          })
      tx.put('parameterVersion', { ...version, labels })
      return { InvalidLabels: Labels.filter((label) => !isLabel(label)), ParameterVersion: number }
    })
  },
}

export const unlabelParameterVersion: Operation<
  UnlabelParameterVersionRequest,
  UnlabelParameterVersionResult
> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, { Name = '', ParameterVersion: number = 0, Labels = [] }) => {
    checkLabels(Labels)
    return context.store.update((tx) => {
      const parameter = resolveParameter(tx, context, Name)
      const version = versionOf(tx, parameter, number) ?? versionNotFound(number, Name)
      tx.put('parameterVersion', {
        ...version,
        labels: version.labels.filter((label) => !Labels.includes(label)),
      })
      return {
        RemovedLabels: Labels.filter((label) => version.labels.includes(label)),
        InvalidLabels: Labels.filter((label) => !version.labels.includes(label)),
      }
    })
  },
}
