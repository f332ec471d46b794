/** Parameters of SSM's Parameter Store: their rows and names. */
import type { ParameterTier, ParameterType } from '@aws-sdk/client-ssm'
import { formatArn, parseArn, type Scope } from './arn.ts'

/** What is true of a parameter whatever its version. */
export interface Parameter extends Scope {
  readonly parameterArn: string
  readonly name: string
  /** Of the newest version. */
  readonly version: number
  readonly tier: Exclude<ParameterTier, 'Intelligent-Tiering'>
  /** By its Expiration policy. */
  readonly expiresAt?: number
}

export interface ParameterVersion {
  readonly parameterArn: string
  readonly version: number
  readonly type: ParameterType
  /** Sealed for its `parameterVersionKey` when it is a SecureString. */
  readonly value: string
  readonly labels: readonly string[]
  readonly modifiedAt: number
  /** The ARN of who did. */
  readonly modifiedBy: string
  readonly description?: string
  readonly allowedPattern?: string
  /** Of a SecureString, as it was given; values are sealed with the installation's root key whatever it says. */
  readonly keyId?: string
  readonly dataType: string
  readonly tier: Parameter['tier']
  /** JSON, as it was given. */
  readonly policies?: string
}

/** Keys of versions stand in their order; a sealed value is bound to its own. */
export function parameterVersionKey({
  parameterArn,
  version,
}: Pick<ParameterVersion, 'parameterArn' | 'version'>): string {
  return `${parameterArn} ${String(version).padStart(10, '0')}`
}

/** `/a/b` and `a` have one ARN form: the leading slash of a name is the one after `parameter`. */
export function parameterArnOf(scope: Scope, name: string): string {
  return formatArn(scope, 'ssm', `parameter${name.startsWith('/') ? name : `/${name}`}`)
}

/** The path a parameter lies under directly: `/a` of `/a/b`, `/` of `/a` and of `a`. */
export function parentPath({ parameterArn }: Pick<Parameter, 'parameterArn'>): string {
  const path = pathOf(parameterArn)
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** `/a/b` of the parameter's ARN. */
export function pathOf(parameterArn: string): string {
  return parameterArn.slice(parameterArn.indexOf(':parameter/') + ':parameter'.length)
}

/** How many labels a version may have, and versions a parameter. */
export const labelsMax = 10
export const parameterVersionsMax = 100

export interface ParameterReference {
  /** The parameter's name, or its ARN. */
  readonly name: string
  /** After the colon: a version's number or a label. */
  readonly selector?: string
}

/** `name`, `name:3`, `name:label`, or the same with an ARN; undefined for a text that is none of these. */
export function parseParameterReference(text: string): ParameterReference | undefined {
  const arn = parseArn(text)
  const from = arn?.service === 'ssm' ? text.indexOf(':parameter') + 1 : 0
  const colon = text.indexOf(':', from)
  if (colon < 0) return { name: text }
  const selector = text.slice(colon + 1)
  return selector.includes(':') || selector === '' ? undefined : { name: text.slice(0, colon), selector }
}
