import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  ListTagsLogGroupRequest,
  ListTagsLogGroupResponse,
  TagLogGroupRequest,
  TagResourceRequest,
  UntagLogGroupRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-cloudwatch-logs'
import { AwsError } from '@berth/wire/error.ts'
import type { Constraints } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { putTags, removeTags } from '#api/schedule-tags.ts'
import type { Transaction, View } from '#state/store.ts'
import { groupResources, invalidParameter, logConstraints, resolveArn, resolveGroup } from './resolve.ts'

type Tags = Readonly<Record<string, string>>
const tagsMax = 50

export function constrainTags(check: Constraints, tags: Tags | undefined): void {
  for (const [key, value] of Object.entries(tags ?? {})) {
    check.text('tags', key, { max: 128, pattern: tagPattern, shown: tagShown })
    check.text('tags', value, { min: 0, max: 256, pattern: tagPattern, shown: tagShown })
  }
}
const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
const tagShown = '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)'

/** Adds the tags to those a group has. Throws InvalidParameterException and TooManyTagsException. */
export function addTags(tx: Transaction, logGroupArn: string, tags: Tags): void {
  if (Object.keys(tags).some((key) => /^aws:/i.test(key)))
    invalidParameter('Tag keys starting with aws: are reserved for system use.')
  const merged = { ...tagsOf(tx, logGroupArn), ...tags }
  if (Object.keys(merged).length > tagsMax)
    throw new AwsError('TooManyTagsException', `A resource can have at most ${tagsMax} tags.`, 400, {
      resourceName: logGroupArn,
    })
  putTags(
    tx,
    logGroupArn,
    Object.entries(merged).map(([key, value]) => ({ key, value })),
  )
}

function tagsOf(view: View, logGroupArn: string): Record<string, string> {
  const tags = view.find('resourceTags', logGroupArn)?.tags ?? []
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]))
}

const named = (_: Context, { resourceArn = '' }: ListTagsForResourceRequest): string[] => [resourceArn]

export const tagResource: Operation<TagResourceRequest, object> = {
  resources: named,
  run: (context, { resourceArn = '', tags = {} }) => {
    const check = logConstraints()
    constrainTags(check, tags)
    check.check()
    return context.store.update((tx) => {
      addTags(tx, resolveArn(tx, context, resourceArn).logGroupArn, tags)
      return {}
    })
  },
}

export const untagResource: Operation<UntagResourceRequest, object> = {
  resources: named,
  run: (context, { resourceArn = '', tagKeys = [] }) =>
    context.store.update((tx) => {
      removeTags(tx, resolveArn(tx, context, resourceArn).logGroupArn, tagKeys)
      return {}
    }),
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = {
  resources: named,
  run: (context, { resourceArn = '' }) => ({
    tags: tagsOf(context.store, resolveArn(context.store, context, resourceArn).logGroupArn),
  }),
}

/** The same by the group's name, as older clients do it. */
export const tagLogGroup: Operation<TagLogGroupRequest, object> = {
  resources: groupResources,
  run: (context, { logGroupName, tags = {} }) => {
    const check = logConstraints()
    constrainTags(check, tags)
    check.check()
    return context.store.update((tx) => {
      addTags(tx, resolveGroup(tx, context, { logGroupName }).logGroupArn, tags)
      return {}
    })
  },
}

export const untagLogGroup: Operation<UntagLogGroupRequest, object> = {
  resources: groupResources,
  run: (context, { logGroupName, tags = [] }) =>
    context.store.update((tx) => {
      removeTags(tx, resolveGroup(tx, context, { logGroupName }).logGroupArn, tags)
      return {}
    }),
}

export const listTagsLogGroup: Operation<ListTagsLogGroupRequest, ListTagsLogGroupResponse> = {
  resources: groupResources,
  run: (context, { logGroupName }) => ({
    tags: tagsOf(context.store, resolveGroup(context.store, context, { logGroupName }).logGroupArn),
  }),
}
