/** Names and ARNs of parameters turned into rows, or into Parameter Store's errors. */
import { AwsError } from '@berth/wire/error.ts'
import { invalid } from '#api/constraints.ts'
import type { Context } from '#api/operation.ts'
import { page } from '#api/page.ts'
import { parseArn, type Scope } from '#domain/arn.ts'
import {
  type Parameter,
  parameterArnOf,
  parameterVersionKey,
  type ParameterVersion,
  parseParameterReference,
} from '#domain/parameter.ts'
import type { View } from '#state/store.ts'

const nameLengthMax = 2048
const levelsMax = 15

export function parameterNotFound(name: string): never {
  throw new AwsError('ParameterNotFound', `Parameter ${name} not found.`)
}

/** Throws ValidationException and HierarchyLevelLimitExceededException for what cannot be a new parameter's name. */
export function checkNewName(name: string): void {
  const bare = name.replace(/^\//, '').toLowerCase()
  const isPath = name.lastIndexOf('/') > 0
  if (name.length < 1 || name.length > nameLengthMax) lengthOf('name', name, 1, nameLengthMax)
  if (isPath && /^\/aws/i.test(name))
    throw new AwsError('AccessDeniedException', `No access to reserved parameter name: ${name}.`)
  if (!isPath && /^(?:aws|ssm)/.test(bare))
    invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')
  if (bare.startsWith('ssm') || !/^(?:\/?[A-Za-z0-9_.-]+)(?:\/[A-Za-z0-9_.-]+)*$/.test(name))
    invalid(
      'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_',
    )
  if (isPath && !name.startsWith('/')) invalid('Parameter name must be a fully qualified name.')
  if (name.split('/').length - 1 > levelsMax)
    throw new AwsError(
      'HierarchyLevelLimitExceededException',
      `A hierarchy can have a maximum of ${levelsMax} levels. For more information, see Requirements and constraints for parameter names in the Systems Manager User Guide.`,
    )
}

/** The one ValidationException of a member that is too short or too long. */
export function lengthOf(path: string, value: string, least: number, most: number): void {
  const say = (constraint: string): never =>
    invalid(
      `1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: Member must have length ${constraint}.`,
    )
  if (value.length < least) say(`greater than or equal to ${least}`)
  if (value.length > most) say(`less than or equal to ${most}`)
}

/** The ARN under which a parameter of this name or ARN is kept; undefined for an ARN of elsewhere. */
function arnOf(scope: Scope, name: string): string | undefined {
  const arn = parseArn(name)
  if (arn?.service !== 'ssm') return parameterArnOf(scope, name)
  const here = arn.accountId === scope.accountId && arn.region === scope.region
  return here && arn.resource.startsWith('parameter/') ? name : undefined
}

/** A parameter by its name or ARN. One past its Expiration policy is no more, even if nobody has removed it yet. */
export function findParameter(
  view: View,
  { scope, clock }: Pick<Context, 'scope' | 'clock'>,
  name: string,
): Parameter | undefined {
  const arn = arnOf(scope, name)
  const parameter = arn === undefined ? undefined : view.find('parameter', arn)
  return parameter && (parameter.expiresAt ?? Infinity) > clock.now() ? parameter : undefined
}

/** Throws ParameterNotFound. */
export function resolveParameter(
  view: View,
  context: Pick<Context, 'scope' | 'clock'>,
  name: string | undefined = '',
): Parameter {
  lengthOf('name', name, 1, nameLengthMax)
  return findParameter(view, context, name) ?? parameterNotFound(name)
}

export interface Selected {
  readonly parameter: Parameter
  readonly version: ParameterVersion
  /** As it was given, with its colon. */
  readonly selector?: string
  /** The name by which it was asked for, when that is but another spelling: with a leading slash, or without. */
  readonly askedFor?: string
}

/** The version that `name`, `name:3` or `name:label` means. Throws ParameterNotFound and ParameterVersionNotFound. */
export function resolveSelected(
  view: View,
  context: Pick<Context, 'scope' | 'clock'>,
  text: string | undefined = '',
): Selected {
  lengthOf('name', text, 1, nameLengthMax)
  const reference = parseParameterReference(text)
  if (!reference) return parameterNotFound(text)
  const { name, selector } = reference
  const parameter = findParameter(view, context, name) ?? parameterNotFound(text)
  const asked = parseArn(name) || name === parameter.name ? {} : { askedFor: name }
  if (selector === undefined) {
    const version = versionOf(view, parameter, parameter.version)
    return { parameter, version: version ?? parameterNotFound(text), ...asked }
  }
  return {
    parameter,
    version: /^\d+$/.test(selector)
      ? (versionOf(view, parameter, Number(selector)) ?? versionNotFound(Number(selector), name))
      : (labelled(view, parameter, selector) ?? labelNotFound(selector, name)),
    selector: `:${selector}`,
    ...asked,
  }
}

export function versionOf(
  view: View,
  { parameterArn }: Parameter,
  version: number,
): ParameterVersion | undefined {
  return view.find('parameterVersion', parameterVersionKey({ parameterArn, version }))
}

function labelled(view: View, { parameterArn }: Parameter, label: string): ParameterVersion | undefined {
  return view.by('parameterVersion', 'parameter', parameterArn).find(({ labels }) => labels.includes(label))
}

export function versionNotFound(version: number, name: string): never {
  throw new AwsError(
    'ParameterVersionNotFound',
    `Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`,
  )
}

function labelNotFound(label: string, name: string): never {
  throw new AwsError(
    'ParameterVersionNotFound',
    `Systems Manager could not find label ${label} for parameter ${name}. Verify the label and try again.`,
  )
}

/** What requests touch, for authorization. */
export function touched(
  { scope }: Pick<Context, 'scope'>,
  names: readonly (string | undefined)[] = [],
): readonly string[] {
  return names.map((name = '') => {
    const plain = parseParameterReference(name)?.name ?? name
    return arnOf(scope, plain) ?? plain
  })
}

/** A page of Parameter Store's lists. Throws InvalidNextToken. */
export function parameterPage<Row>(
  ...[rows, request, keyOf]: Parameters<typeof page<Row>>
): ReturnType<typeof page<Row>> {
  try {
    return page(rows, request, keyOf)
  } catch (error) {
    if (error instanceof AwsError) throw new AwsError('InvalidNextToken', 'The specified token is not valid.')
    throw error
  }
}
