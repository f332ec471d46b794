import type {
  DescribeParametersRequest,
  DescribeParametersResult,
  ParameterStringFilter,
} from '@aws-sdk/client-ssm'
import { constraints, invalid } from '#api/constraints.ts'
import { unsupported } from '#api/ecs/tasks/placement-checks.ts'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import { checkDescribeFilters, matchesFilters } from './filters.ts'
import { metadata } from './get-parameter.ts'
import { parameterPage, type Selected, versionOf } from './resolve.ts'

const pageMax = 50
/** What AWS gives who does not say is less than what one may ask for. */
const pageUsual = 10

export const describeParameters: Operation<DescribeParametersRequest, DescribeParametersResult> = {
  resources: ({ scope }) => [formatArn(scope, 'ssm', '*')],
  run: (context, input) => {
    const { Filters = [], ParameterFilters = [], MaxResults, NextToken, Shared = false } = input
    const check = constraints()
    check.number('maxResults', MaxResults, 1, pageMax)
    for (const [index, { Key }] of Filters.entries())
      check.oneOf(`filters.${index + 1}.member.key`, Key, ['Name', 'Type', 'KeyId'])
    check.check()
    if (Filters.length > 0 && ParameterFilters.length > 0)
      invalid('You can use either Filters or ParameterFilters in a single request.')
    if (Shared) unsupported('parameters that other accounts share', 'Leave Shared out.')
    const filters: readonly ParameterStringFilter[] =
      Filters.length > 0
        ? Filters.map(({ Key, Values }) => ({ Key, Values, ...(Key === 'Name' && { Option: 'BeginsWith' }) }))
        : ParameterFilters
    checkDescribeFilters(filters)
    const { rows, nextToken } = parameterPage(
      described(context).filter((selected) => matchesFilters(context.store, selected, filters)),
      {
        context,
        maxResults: MaxResults,
        nextToken: NextToken,
        limit: pageMax,
        default: pageUsual,
        parameters: { list: 'DescribeParameters', filters },
      },
      ({ parameter }) => parameter.parameterArn,
    )
    return {
      Parameters: rows.map(({ parameter, version }) => ({
        ...metadata(parameter, version, context.clock.now()),
        ARN: parameter.parameterArn,
      })),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}

function described({ store, scope, clock }: Context): readonly Selected[] {
  return store.by('parameter', 'scope', scopeKey(scope)).flatMap((parameter) => {
    const version = versionOf(store, parameter, parameter.version)
    return version && (parameter.expiresAt ?? Infinity) > clock.now() ? [{ parameter, version }] : []
  })
}
