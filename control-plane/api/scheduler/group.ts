import type {
  CreateScheduleGroupInput,
  CreateScheduleGroupOutput,
  DeleteScheduleGroupInput,
  DeleteScheduleGroupOutput,
  GetScheduleGroupInput,
  GetScheduleGroupOutput,
  ListScheduleGroupsInput,
  ListScheduleGroupsOutput,
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  ScheduleGroupSummary,
  TagResourceInput,
  TagResourceOutput,
  UntagResourceInput,
  UntagResourceOutput,
} from '@aws-sdk/client-scheduler'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { schedulePage } from '#api/schedule-page.ts'
import { addTags, constrainTags, removeTags, showTags } from '#api/schedule-tags.ts'
import { arnName, formatArn, scopeKey } from '#domain/arn.ts'
import { defaultGroup, type ScheduleGroup } from '#domain/schedule/schedule.ts'
import type { View } from '#state/store.ts'
import { constrainName, constrainToken, groupArnOf, requestOf, resolveGroup } from './resolve.ts'

const tagsMax = 200

/** A repeated request, by its token, gets the same answer. */
export const createScheduleGroup: Operation<CreateScheduleGroupInput, CreateScheduleGroupOutput> = {
  resources: (context, { Name }) => [groupArnOf(context, Name)],
  run: (context, input) => {
    const { Name: name = '', Tags: tags = [] } = input
    const check = constraints()
    constrainName(check, 'name', name)
    constrainTags(check, tags, tagsMax)
    constrainToken(check, input.ClientToken)
    check.check()
    const { store, scope } = context
    const now = context.clock.now()
    return store.update((tx) => {
      const scheduleGroupArn = groupArnOf(context, name)
      const request = requestOf(input)
      const standing = tx.find('scheduleGroup', scheduleGroupArn)
      if (request !== undefined && standing?.request === request)
        return { ScheduleGroupArn: scheduleGroupArn }
      if (standing || name === defaultGroup)
        throw new AwsError('ConflictException', `Schedule group ${name} already exists.`, 409)
      tx.put('scheduleGroup', {
        ...scope,
        scheduleGroupArn,
        name,
        createdAt: now,
        modifiedAt: now,
        ...(request !== undefined && { request }),
      })
      addTags(tx, scheduleGroupArn, tags, tagsMax)
      return { ScheduleGroupArn: scheduleGroupArn }
    })
  },
}

/** With all its schedules, and at once: AWS shows it DELETING for a while. */
export const deleteScheduleGroup: Operation<DeleteScheduleGroupInput, DeleteScheduleGroupOutput> = {
  resources: (context, { Name }) => [groupArnOf(context, Name)],
  run: (context, { Name: name, ClientToken }) => {
    const check = constraints()
    constrainName(check, 'name', name)
    constrainToken(check, ClientToken)
    check.check()
    // No source gives AWS's text.
    if (name === defaultGroup) invalid('The default schedule group cannot be deleted.')
    return context.store.update((tx) => {
      const group = resolveGroup(tx, context, name)
      for (const { scheduleArn } of tx.by('schedule', 'group', `${scopeKey(context.scope)}/${name}`))
        tx.delete('schedule', scheduleArn)
      if (group) {
        tx.delete('scheduleGroup', group.scheduleGroupArn)
        tx.delete('resourceTags', group.scheduleGroupArn)
      }
      return {}
    })
  },
}

export const getScheduleGroup: Operation<GetScheduleGroupInput, GetScheduleGroupOutput> = {
  resources: (context, { Name }) => [groupArnOf(context, Name)],
  run: (context, { Name: name }) => {
    const check = constraints()
    constrainName(check, 'name', name)
    check.check()
    return showGroup(resolveGroup(context.store, context, name) ?? defaultOf(context))
  },
}

export const listScheduleGroups: Operation<ListScheduleGroupsInput, ListScheduleGroupsOutput> = {
  resources: ({ scope }) => [formatArn(scope, 'scheduler', 'schedule-group/*')],
  run: (context, { NamePrefix, NextToken, MaxResults }) => {
    const check = constraints()
    constrainName(check, 'namePrefix', NamePrefix)
    check.number('maxResults', MaxResults, 1, 100)
    check.check()
    const { rows, nextToken } = schedulePage(
      (after) => groupsAfter(context, after, NamePrefix ?? ''),
      {
        context,
        maxResults: MaxResults,
        nextToken: NextToken,
        parameters: { list: 'ListScheduleGroups', NamePrefix },
      },
      ({ scheduleGroupArn }) => scheduleGroupArn,
    )
    return {
      ScheduleGroups: rows.map(showGroup),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}

type Shown = Pick<ScheduleGroup, 'scheduleGroupArn' | 'name'> &
  Partial<Pick<ScheduleGroup, 'createdAt' | 'modifiedAt'>>

const defaultOf = (context: Context): Shown => ({ scheduleGroupArn: groupArnOf(context), name: defaultGroup })

/** The groups that have rows and the one that has none, in the order of their ARNs. */
function* groupsAfter(context: Context, after: string | undefined, prefix: string): Generator<Shown> {
  let own: Shown | undefined = defaultOf(context)
  if (!defaultGroup.startsWith(prefix) || (after !== undefined && own.scheduleGroupArn <= after))
    own = undefined
  const scope = scopeKey(context.scope)
  for (const group of context.store.after('scheduleGroup', 'scope', scope, after)) {
    if (own && own.scheduleGroupArn < group.scheduleGroupArn) {
      yield own
      own = undefined
    }
    if (group.name.startsWith(prefix)) yield group
  }
  if (own) yield own
}

function showGroup({ scheduleGroupArn, name, createdAt, modifiedAt }: Shown): ScheduleGroupSummary {
  return {
    Arn: scheduleGroupArn,
    Name: name,
    State: 'ACTIVE',
    ...(createdAt !== undefined && { CreationDate: new Date(createdAt) }),
    ...(modifiedAt !== undefined && { LastModificationDate: new Date(modifiedAt) }),
  }
}

const tagged = (_: Context, { ResourceArn = '' }: ListTagsForResourceInput): string[] => [ResourceArn]

export const tagResource: Operation<TagResourceInput, TagResourceOutput> = {
  resources: tagged,
  run: (context, { ResourceArn = '', Tags = [] }) => {
    const check = constraints()
    constrainTags(check, Tags, tagsMax)
    check.check()
    return context.store.update((tx) => {
      requireGroup(tx, context, ResourceArn)
      addTags(tx, ResourceArn, Tags, tagsMax)
      return {}
    })
  },
}

export const untagResource: Operation<UntagResourceInput, UntagResourceOutput> = {
  resources: tagged,
  run: (context, { ResourceArn = '', TagKeys = [] }) =>
    context.store.update((tx) => {
      requireGroup(tx, context, ResourceArn)
      removeTags(tx, ResourceArn, TagKeys)
      return {}
    }),
}

export const listTagsForResource: Operation<ListTagsForResourceInput, ListTagsForResourceOutput> = {
  resources: tagged,
  run: (context, { ResourceArn = '' }) => {
    requireGroup(context.store, context, ResourceArn)
    return { Tags: showTags(context.store, ResourceArn) }
  },
}

/** Only groups have tags. Throws ValidationException and ResourceNotFoundException. */
function requireGroup(view: View, context: Context, arn: string): void {
  const check = constraints()
  check.text('resourceArn', arn, {
    max: 1011,
    pattern: /^arn:aws(?:-[a-z]+)?:scheduler:[a-z0-9-]+:\d{12}:schedule-group\/[0-9a-zA-Z\-_.]+$/,
    shown: '^arn:aws(-[a-z]+)?:scheduler:[a-z0-9\\-]+:\\d{12}:schedule-group\\/[0-9a-zA-Z-_.]+$',
  })
  check.check()
  resolveGroup(view, context, arnName(arn))
  if (groupArnOf(context, arnName(arn)) !== arn)
    throw new AwsError('ResourceNotFoundException', `Schedule group ${arnName(arn)} does not exist.`, 404)
}
