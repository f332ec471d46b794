/** Names of EventBridge Scheduler turned into rows, or into its errors. */
import { AwsError } from '@berth/wire/error.ts'
import { fingerprintOf } from '#api/ecs/idempotency.ts'
import type { Constraints } from '#api/constraints.ts'
import { formatArn, type Scope } from '#domain/arn.ts'
import { defaultGroup, type Schedule, type ScheduleGroup } from '#domain/schedule/schedule.ts'
import type { View } from '#state/store.ts'

interface Scoped {
  readonly scope: Scope
}

export function groupArnOf({ scope }: Scoped, name = defaultGroup): string {
  return formatArn(scope, 'scheduler', `schedule-group/${name}`)
}

export function scheduleArnOf({ scope }: Scoped, groupName = defaultGroup, name = ''): string {
  return formatArn(scope, 'scheduler', `schedule/${groupName}/${name}`)
}

export function constrainName(check: Constraints, path: string, name: string | undefined): void {
  check.text(path, name, { max: 64, pattern: /^[0-9a-zA-Z\-_.]+$/, shown: '^[0-9a-zA-Z-_.]+$' })
}

export function constrainToken(check: Constraints, token: string | undefined): void {
  check.text('clientToken', token, { max: 64, pattern: /^[a-zA-Z0-9\-_]+$/, shown: '^[a-zA-Z0-9-_]+$' })
}

/** The group; undefined for the default one, which has no row. Throws ResourceNotFoundException. */
export function resolveGroup(view: View, context: Scoped, name = defaultGroup): ScheduleGroup | undefined {
  const group = view.find('scheduleGroup', groupArnOf(context, name))
  if (!group && name !== defaultGroup)
    throw new AwsError('ResourceNotFoundException', `Schedule group ${name} does not exist.`, 404)
  return group
}

/** Throws ResourceNotFoundException. */
export function resolveSchedule(
  view: View,
  context: Scoped,
  groupName: string | undefined,
  name = '',
): Schedule {
  const schedule = view.find('schedule', scheduleArnOf(context, groupName, name))
  if (schedule) return schedule
  throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404)
}

/** What tells a request from another: a repeated one has the same token and parameters. Without a token none is repeated. */
export function requestOf(input: { readonly ClientToken?: string | undefined }): string | undefined {
  return input.ClientToken === undefined
    ? undefined
    : fingerprintOf(JSON.parse(JSON.stringify(input)) as object)
}
