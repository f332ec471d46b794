import type {
  CreateLogGroupRequest,
  DeleteRetentionPolicyRequest,
  DescribeLogGroupsRequest,
  ListLogGroupsRequest,
  ListLogGroupsResponse,
  LogGroup as ShownGroup,
  PutLogGroupDeletionProtectionRequest,
  PutRetentionPolicyRequest,
} from '@aws-sdk/client-cloudwatch-logs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { pageInOrder } from '#api/page.ts'
import { scopeKey } from '#domain/arn.ts'
import { type LogGroup, logGroupArnOf, retentionDays } from '#domain/logs/log-group.ts'
import {
  constrainGroupName,
  findGroup,
  groupResources,
  invalidParameter,
  logConstraints,
  resolveGroup,
} from './resolve.ts'
import { addTags, constrainTags } from './tag.ts'

export const createLogGroup: Operation<CreateLogGroupRequest, object> = {
  resources: groupResources,
  run: (context, input) => {
    const { logGroupName = '', kmsKeyId, tags = {}, deletionProtectionEnabled } = input
    const { logGroupClass = 'STANDARD' } = input
    const check = logConstraints()
    constrainGroupName(check, logGroupName)
    constrainTags(check, tags)
    check.oneOf('logGroupClass', logGroupClass, ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY', 'ESSENTIALS'])
    check.check()
    if (logGroupClass !== 'STANDARD' && logGroupClass !== 'INFREQUENT_ACCESS')
      unsupported(`Berth has no log groups of the class ${logGroupClass}.`)
    if (kmsKeyId !== undefined) refuseKey()
    return context.store.update((tx) => {
      const { scope, ids } = context
      const logGroupArn = logGroupArnOf(scope, logGroupName)
      if (tx.find('logGroup', logGroupArn))
        throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists')
      tx.put('logGroup', {
        ...scope,
        logGroupArn,
        logGroupName,
        storeId: ids.hex(32),
        createdAt: context.clock.now(),
        logGroupClass,
        ...(deletionProtectionEnabled && { deletionProtected: true }),
      })
      addTags(tx, logGroupArn, tags)
      return {}
    })
  },
}

const refuseKey = (): never => unsupported('Berth does not encrypt logs with keys of AWS KMS.')

function unsupported(message: string): never {
  throw new AwsError('UnsupportedFeatureException', message)
}

export const putRetentionPolicy: Operation<PutRetentionPolicyRequest, object> = {
  resources: groupResources,
  run: (context, { logGroupName, retentionInDays = 0 }) => {
    const check = logConstraints()
    constrainGroupName(check, logGroupName)
    check.check()
    return context.store.update((tx) => {
      const group = resolveGroup(tx, context, { logGroupName })
      if (!retentionDays.includes(retentionInDays))
        invalidParameter(
          `1 validation error detected: Value '${retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${retentionDays.join(', ')}]`,
        )
      tx.put('logGroup', { ...group, retentionInDays })
      return {}
    })
  },
}

export const deleteRetentionPolicy: Operation<DeleteRetentionPolicyRequest, object> = {
  resources: groupResources,
  run: (context, { logGroupName }) =>
    context.store.update((tx) => {
      const { retentionInDays: _, ...group } = resolveGroup(tx, context, { logGroupName })
      tx.put('logGroup', group)
      return {}
    }),
}

export const putLogGroupDeletionProtection: Operation<PutLogGroupDeletionProtectionRequest, object> = {
  resources: groupResources,
  run: (context, { logGroupIdentifier, deletionProtectionEnabled }) =>
    context.store.update((tx) => {
      const { deletionProtected: _, ...group } = resolveGroup(tx, context, { logGroupIdentifier })
      tx.put('logGroup', { ...group, ...(deletionProtectionEnabled && { deletionProtected: true }) })
      return {}
    }),
}

/** Takes the group's row away and says where its events are. Throws ResourceNotFoundException. */
export function forgetGroup(context: Context, logGroupName: string | undefined): LogGroup {
  return context.store.update((tx) => {
    const group = resolveGroup(tx, context, { logGroupName })
    // No source gives AWS's text.
    if (group.deletionProtected)
      throw new AwsError(
        'ValidationException',
        `Log group ${group.logGroupName} cannot be deleted because deletion protection is enabled.`,
      )
    tx.delete('logGroup', group.logGroupArn)
    tx.delete('resourceTags', group.logGroupArn)
    return group
  })
}

const describeMax = 50

/** The groups of a page, and the token of the next. Throws InvalidParameterException. */
export function pageOfGroups(
  context: Context,
  input: DescribeLogGroupsRequest,
): { readonly rows: readonly LogGroup[]; readonly nextToken?: string } {
  const { logGroupNamePrefix, logGroupNamePattern, logGroupIdentifiers, logGroupClass, limit } = input
  const check = logConstraints()
  check.number('limit', limit, 1, describeMax)
  check.text('logGroupNamePrefix', logGroupNamePrefix, { max: 512 })
  check.text('logGroupNamePattern', logGroupNamePattern, { min: 0, max: 512 })
  check.items('logGroupIdentifiers', logGroupIdentifiers, 1, 50)
  check.check()
  if (logGroupNamePrefix !== undefined && logGroupNamePattern !== undefined)
    invalidParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
  const wanted = ({ logGroupName, logGroupClass: own }: LogGroup): boolean =>
    logGroupName.includes(logGroupNamePattern ?? '') && (logGroupClass === undefined || own === logGroupClass)
  if (logGroupIdentifiers) {
    // A filter: what is not there is not among the answers.
    const named = logGroupIdentifiers.flatMap(
      (logGroupIdentifier) => findGroup(context.store, context, { logGroupIdentifier }) ?? [],
    )
    return { rows: [...new Set(named)].filter(wanted) }
  }
  return page(context, 'DescribeLogGroups', input, logGroupNamePrefix ?? '', wanted)
}

export const listLogGroups: Operation<ListLogGroupsRequest, ListLogGroupsResponse> = {
  resources: ({ scope }) => [logGroupArnOf(scope, '*')],
  run: (context, input) => {
    const { logGroupNamePattern, logGroupClass, limit } = input
    const check = logConstraints()
    check.number('limit', limit, 1, 1000)
    check.text('logGroupNamePattern', logGroupNamePattern, {
      min: 3,
      max: 129,
      pattern: /^(?:\^?[.\-_/#A-Za-z0-9]{3,24})(?:\|\^?[.\-_/#A-Za-z0-9]{3,24}){0,4}$/,
      shown: '(\\^?[\\.\\-_/#A-Za-z0-9]{3,24})(\\|\\^?[\\.\\-_/#A-Za-z0-9]{3,24}){0,4}',
    })
    check.check()
    const patterns = logGroupNamePattern?.split('|') ?? ['']
    const matches = (name: string): boolean =>
      patterns.some((pattern) =>
        pattern.startsWith('^') ? name.startsWith(pattern.slice(1)) : name.includes(pattern),
      )
    const { rows, nextToken } = page(
      context,
      'ListLogGroups',
      input,
      '',
      (group) =>
        matches(group.logGroupName) && (logGroupClass === undefined || group.logGroupClass === logGroupClass),
    )
    return {
      logGroups: rows.map(({ logGroupName, logGroupArn, logGroupClass: own }) => ({
        logGroupName,
        logGroupArn,
        logGroupClass: own,
      })),
      ...(nextToken !== undefined && { nextToken }),
    }
  },
}

function page(
  context: Context,
  list: string,
  { nextToken, limit, ...filters }: DescribeLogGroupsRequest | ListLogGroupsRequest,
  prefix: string,
  wanted: (group: LogGroup) => boolean,
): { readonly rows: readonly LogGroup[]; readonly nextToken?: string } {
  const { store, scope } = context
  const rowsAfter = function* (after: string | undefined): Generator<LogGroup> {
    // A name that begins with the prefix comes behind the prefix, and all of them stand together.
    const from = after ?? (prefix === '' ? undefined : beforePrefix(logGroupArnOf(scope, prefix)))
    for (const group of store.after('logGroup', 'scope', scopeKey(scope), from)) {
      if (!group.logGroupName.startsWith(prefix)) return
      if (wanted(group)) yield group
    }
  }
  return pageInOrder(
    rowsAfter,
    {
      context,
      maxResults: limit,
      nextToken,
      limit: 1000,
      default: describeMax,
      parameters: { list, ...filters },
    },
    ({ logGroupArn }) => logGroupArn,
  )
}

/** A text that comes before all that begin with `prefix`, and behind most that come before it. */
function beforePrefix(prefix: string): string {
  const last = prefix.codePointAt(prefix.length - 1) ?? 0
  return `${prefix.slice(0, -1)}${String.fromCodePoint(Math.max(0, last - 1))}\u{10ffff}`
}

export function showGroup(group: LogGroup, storedBytes: number): ShownGroup {
  const { logGroupName, logGroupArn, createdAt, retentionInDays, logGroupClass, deletionProtected } = group
  return {
    logGroupName,
    creationTime: createdAt,
    ...(retentionInDays !== undefined && { retentionInDays }),
    metricFilterCount: 0,
    arn: `${logGroupArn}:*`,
    storedBytes,
    logGroupClass,
    logGroupArn,
    ...(deletionProtected && { deletionProtectionEnabled: true }),
  }
}
