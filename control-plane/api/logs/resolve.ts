/** Names and ARNs of CloudWatch Logs turned into rows, or into its errors. */
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints } from '#api/constraints.ts'
import type { Context } from '#api/operation.ts'
import type { Scope } from '#domain/arn.ts'
import { type LogGroup, logGroupArnOf } from '#domain/logs/log-group.ts'
import type { View } from '#state/store.ts'

export function invalidParameter(message: string): never {
  throw new AwsError('InvalidParameterException', message)
}

/** For values that its model limits: CloudWatch Logs tells them all in one InvalidParameterException. */
export const logConstraints = (): Constraints => constraints('InvalidParameterException')

export function constrainGroupName(check: Constraints, name: string | undefined): void {
  check.text('logGroupName', name, {
    max: 512,
    pattern: /^[.\-_/#A-Za-z0-9]+$/,
    shown: '[\\.\\-_/#A-Za-z0-9]+',
  })
}

export function constrainStreamName(
  check: Constraints,
  name: string | undefined,
  path = 'logStreamName',
): void {
  check.text(path, name, { max: 512, pattern: /^[^:*]*$/, shown: '[^:*]*' })
}

export interface GroupReference {
  readonly logGroupName?: string | undefined
  /** A name, or an ARN with or without `:*` at its end. */
  readonly logGroupIdentifier?: string | undefined
}

/** The name that is meant; '' for the ARN of a group elsewhere, which has no name here. */
function nameOf(scope: Scope, { logGroupName, logGroupIdentifier }: GroupReference): string {
  if (logGroupName !== undefined) return logGroupName
  if (!logGroupIdentifier?.startsWith('arn:')) return logGroupIdentifier ?? ''
  const prefix = logGroupArnOf(scope, '')
  return logGroupIdentifier.startsWith(prefix)
    ? logGroupIdentifier.slice(prefix.length).replace(/:\*$/, '')
    : ''
}

export function findGroup(
  view: View,
  { scope }: { readonly scope: Scope },
  reference: GroupReference,
): LogGroup | undefined {
  return view.find('logGroup', logGroupArnOf(scope, nameOf(scope, reference)))
}

/** Throws InvalidParameterException and ResourceNotFoundException. */
export function resolveGroup(
  view: View,
  { scope }: { readonly scope: Scope },
  reference: GroupReference,
): LogGroup {
  const { logGroupName, logGroupIdentifier } = reference
  if ((logGroupName === undefined) === (logGroupIdentifier === undefined))
    invalidParameter('Exactly one of logGroupName or logGroupIdentifier must be specified.')
  const group = findGroup(view, { scope }, reference)
  if (group) return group
  throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.')
}

export function noSuchStream(): AwsError {
  return new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.')
}

/** As AWS shows it in its policies' documents: what is said of a group is said of its (nameless) stream. */
export const groupResources = ({ scope }: Context, reference: GroupReference): string[] => [
  `${logGroupArnOf(scope, nameOf(scope, reference))}:log-stream:`,
]

export const streamResources = (
  { scope }: Context,
  reference: GroupReference & { readonly logStreamName?: string | undefined },
): string[] => [
  `${logGroupArnOf(scope, nameOf(scope, reference))}:log-stream:${reference.logStreamName ?? ''}`,
]

/** Of the resource that a request names by its ARN. Throws what `resolveGroup` throws. */
export function resolveArn(view: View, context: { readonly scope: Scope }, arn: string): LogGroup {
  if (!/^arn:[\w-]+:logs:[\w-]*:\d{12}:log-group:/.test(arn))
    invalidParameter(`The specified resource ARN is not valid: ${arn}`)
  return resolveGroup(view, context, { logGroupIdentifier: arn })
}
