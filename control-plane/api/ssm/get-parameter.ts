import type {
  GetParameterHistoryRequest,
  GetParameterHistoryResult,
  GetParameterRequest,
  GetParameterResult,
  GetParametersByPathRequest,
  GetParametersByPathResult,
  GetParametersRequest,
  GetParametersResult,
  Parameter as ParameterShape,
} from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { referencedSecret } from '#api/secretsmanager/value.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import {
  type Parameter,
  parameterArnOf,
  parameterVersionKey,
  type ParameterVersion,
} from '#domain/parameter.ts'
import type { View } from '#state/store.ts'
import { checkPathFilters, matchesFilters } from './filters.ts'
import { showPolicies } from './policies.ts'
import { publicParameter, publicParametersUnder } from './public-parameters.ts'
import {
  parameterNotFound,
  parameterPage,
  resolveParameter,
  resolveSelected,
  type Selected,
  touched,
  versionOf,
} from './resolve.ts'

const namesMax = 10
const pathPageMax = 10
const historyPageMax = 50
const secretPrefix = '/aws/reference/secretsmanager/'

export const getParameter: Operation<GetParameterRequest, GetParameterResult> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, { Name = '', WithDecryption = false }) => ({
    Parameter: read(context, Name, WithDecryption),
  }),
}

export const getParameters: Operation<GetParametersRequest, GetParametersResult> = {
  resources: (context, { Names }) => touched(context, Names),
  run: (context, { Names: names = [], WithDecryption = false }) => {
    if (names.length > namesMax || names.length === 0)
      invalid(
        `1 validation error detected: Value '[${names.join(', ')}]' at 'names' failed to satisfy constraint: Member must have length ${names.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${namesMax}`}.`,
      )
    const found: ParameterShape[] = []
    const missing: string[] = []
    for (const name of new Set(names))
      try {
        found.push(read(context, name, WithDecryption))
      } catch (error) {
        if (!(error instanceof AwsError) || !/^Parameter(?:Version)?NotFound$/.test(error.code)) throw error
        missing.push(name)
      }
    return { Parameters: found, InvalidParameters: missing }
  },
}

/** Throws ParameterNotFound and ParameterVersionNotFound. */
function read(context: Context, name: string, decrypt: boolean): ParameterShape {
  if (name.startsWith(secretPrefix)) return readSecret(context, name, decrypt)
  return (
    publicParameter(context.scope, name) ??
    show(context, resolveSelected(context.store, context, name), decrypt)
  )
}

/** A secret of Secrets Manager, which can be had as a parameter too. */
function readSecret(context: Context, name: string, decrypt: boolean): ParameterShape {
  if (!decrypt) invalid('WithDecryption flag must be True for retrieving a Secret Manager secret.')
  const secret = context.store.update((tx) => {
    try {
      return referencedSecret(context, tx, name.slice(secretPrefix.length))
    } catch (error) {
      // No source gives AWS's text of each: a secret without such a value is a parameter that is not there.
      if (error instanceof AwsError) return undefined
      throw error
    }
  })
  if (!secret) return parameterNotFound(name)
  return {
    Name: name,
    Type: 'SecureString',
    Value: secret.SecretString,
    Version: 0,
    SourceResult: JSON.stringify({
      ARN: secret.ARN,
      name: secret.Name,
      versionId: secret.VersionId,
      versionStages: secret.VersionStages,
    }),
    LastModifiedDate: secret.CreatedDate,
    ARN: formatArn(context.scope, 'ssm', `parameter${name}`),
    DataType: 'text',
  }
}

/** Without decryption a SecureString is shown as it is kept. */
function valueOf({ vault }: Context, version: ParameterVersion, decrypt: boolean): string {
  const { type, value } = version
  return type === 'SecureString' && decrypt ? vault.open(value, parameterVersionKey(version)) : value
}

function show(
  context: Context,
  { parameter, version, selector, askedFor }: Selected,
  decrypt: boolean,
): ParameterShape {
  return {
    Name: askedFor ?? parameter.name,
    Type: version.type,
    Value: valueOf(context, version, decrypt),
    Version: version.version,
    ...(selector !== undefined && { Selector: selector }),
    LastModifiedDate: new Date(version.modifiedAt),
    ARN: parameter.parameterArn,
    DataType: version.dataType,
  }
}

export const getParametersByPath: Operation<GetParametersByPathRequest, GetParametersByPathResult> = {
  resources: (context, { Path }) => touched(context, [Path]),
  run: (context, input) => {
    const { Path = '', Recursive = false, ParameterFilters, WithDecryption = false } = input
    const check = constraints()
    check.text('path', Path, { max: 2048 })
    check.number('maxResults', input.MaxResults, 1, pathPageMax)
    check.check()
    if (!/^\/(?:[A-Za-z0-9_.-]+\/)*(?:[A-Za-z0-9_.-]+)?$/.test(Path))
      invalid(
        'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
      )
    checkPathFilters(ParameterFilters)
    const path = Path === '/' ? '/' : Path.replace(/\/$/, '')
    const found = under(context, path, Recursive)
      .filter((selected) => matchesFilters(context.store, selected, ParameterFilters))
      .map((selected) => show(context, selected, WithDecryption))
    const { rows, nextToken } = parameterPage(
      [...found, ...publicParametersUnder(context.scope, path, Recursive)],
      {
        context,
        maxResults: input.MaxResults,
        nextToken: input.NextToken,
        limit: pathPageMax,
        default: pathPageMax,
        parameters: { list: 'GetParametersByPath', path, Recursive, ParameterFilters, WithDecryption },
      },
      ({ ARN = '' }) => ARN,
    )
    return { Parameters: [...rows], ...(nextToken !== undefined && { NextToken: nextToken }) }
  },
}

/** The parameters below a path, directly or at any depth: those of one prefix stand together in the order of ARNs. */
function under({ store, scope, clock }: Context, path: string, recursive: boolean): readonly Selected[] {
  const rows = recursive
    ? withPrefix(store, scopeKey(scope), parameterArnOf(scope, path === '/' ? '/' : `${path}/`))
    : store.by('parameter', 'parent', `${scopeKey(scope)} ${path}`)
  return rows.flatMap((parameter) => {
    const version = versionOf(store, parameter, parameter.version)
    return version && (parameter.expiresAt ?? Infinity) > clock.now() ? [{ parameter, version }] : []
  })
}

function withPrefix(view: View, scope: string, prefix: string): Parameter[] {
  const found: Parameter[] = []
  for (const parameter of view.after('parameter', 'scope', scope, prefix)) {
    if (!parameter.parameterArn.startsWith(prefix)) break
    found.push(parameter)
  }
  return found
}

export const getParameterHistory: Operation<GetParameterHistoryRequest, GetParameterHistoryResult> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, { Name, WithDecryption = false, MaxResults, NextToken }) => {
    if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > historyPageMax))
      invalid(
        `1 validation error detected: Value '${MaxResults}' at 'maxResults' failed to satisfy constraint: Member must have value ${MaxResults < 1 ? 'greater than or equal to 1' : `less than or equal to ${historyPageMax}`}.`,
      )
    const parameter = resolveParameter(context.store, context, Name)
    const { rows, nextToken } = parameterPage(
      context.store.by('parameterVersion', 'parameter', parameter.parameterArn),
      {
        context,
        maxResults: MaxResults,
        nextToken: NextToken,
        limit: historyPageMax,
        default: historyPageMax,
        parameters: { list: 'GetParameterHistory', arn: parameter.parameterArn, WithDecryption },
      },
      ({ version }) => String(version).padStart(10, '0'),
    )
    return {
      Parameters: rows.map((version) => ({
        ...metadata(parameter, version, context.clock.now()),
        Value: valueOf(context, version, WithDecryption),
        Labels: [...version.labels],
      })),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}

/** What is shown of a version beside its value. */
export function metadata({ name }: Parameter, version: ParameterVersion, now: number) {
  const { description, allowedPattern, keyId } = version
  return {
    Name: name,
    Type: version.type,
    ...(keyId !== undefined && { KeyId: keyId }),
    LastModifiedDate: new Date(version.modifiedAt),
    LastModifiedUser: version.modifiedBy,
    ...(description !== undefined && { Description: description }),
    ...(allowedPattern !== undefined && { AllowedPattern: allowedPattern }),
    Version: version.version,
    Tier: version.tier,
    Policies: showPolicies(version.policies, now),
    DataType: version.dataType,
  }
}
