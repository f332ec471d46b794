import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  TagResourceResponse,
  UntagResourceRequest,
  UntagResourceResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { parseArn } from '#domain/arn.ts'
import { maySpeakFor } from '#domain/fargate.ts'
import type { ResourceTag } from '#domain/tags.ts'
import type { Transaction, View } from '#state/store.ts'
import { resolveDaemon, resolveDaemonTaskDefinition } from '#api/ecs/daemons/daemon-resolve.ts'
import { findTaskDefinition, isIn, resolveCluster } from './resolve.ts'

const tagCountMax = 50

/** Checks tags that a caller gives and brings them into the form of rows. Throws InvalidParameterException. */
export function checkedTags(tags: readonly Tag[] = []): readonly ResourceTag[] {
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterException', message)
  }
  const checked = new Map<string, ResourceTag>()
  for (const { key = '', value = '' } of tags) {
    if (key.length < 1 || key.length > 128) refuse('Tag keys must have between 1 and 128 characters.')
    if (value.length > 256) refuse('Tag values must have at most 256 characters.')
    // AWS's text: https://github.com/aws/amazon-ecs-agent/issues/1704
    if (/^aws:/i.test(key)) refuse('Tag key must not start with aws:')
    if (/^aws:/i.test(value)) refuse('Tag value must not start with aws:')
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(key + value))
      refuse('Tag keys and values can hold letters, numbers, spaces and the characters _ . : / = + - @ only.')
    if (checked.has(key)) refuse(`Duplicate tag key '${key}'. Specify each key once and try again.`)
    checked.set(key, { key, value })
  }
  if (checked.size > tagCountMax) refuse(`A resource can have at most ${tagCountMax} tags.`)
  return [...checked.values()]
}

/** The tags of a resource as answers show them. */
export function showTags(view: View, resourceArn: string): Tag[] {
  return (view.find('resourceTags', resourceArn)?.tags ?? []).map(({ key, value }) => ({ key, value }))
}

/** Makes these the tags of a resource, in place of those it has. */
export function putTags(tx: Transaction, resourceArn: string, tags: readonly ResourceTag[]): void {
  if (tags.length > 0) tx.put('resourceTags', { resourceArn, tags })
  else tx.delete('resourceTags', resourceArn)
}

export const tagResource: Operation<TagResourceRequest, TagResourceResponse> = {
  resources: (_, { resourceArn = '' }) => [resourceArn],
  run: (context, { resourceArn = '', tags = [] }) => {
    const given = checkedTags(tags)
    return context.store.update((tx) => {
      requireTaggable(tx, context, resourceArn, true)
      const present = tx.find('resourceTags', resourceArn)?.tags ?? []
      const replaced = new Set(given.map(({ key }) => key))
      const merged = [...present.filter(({ key }) => !replaced.has(key)), ...given]
      if (merged.filter(({ key }) => !key.startsWith('aws:')).length > tagCountMax)
        throw new AwsError('InvalidParameterException', `A resource can have at most ${tagCountMax} tags.`)
      putTags(tx, resourceArn, merged)
      return {}
    })
  },
}

export const untagResource: Operation<UntagResourceRequest, UntagResourceResponse> = {
  resources: (_, { resourceArn = '' }) => [resourceArn],
  run: (context, { resourceArn = '', tagKeys = [] }) =>
    context.store.update((tx) => {
      requireTaggable(tx, context, resourceArn, true)
      if (tagKeys.some((key) => /^aws:/i.test(key)))
        throw new AwsError('InvalidParameterException', 'Tag key must not start with aws:')
      const present = tx.find('resourceTags', resourceArn)?.tags ?? []
      const kept = present.filter(({ key }) => !tagKeys.includes(key))
      if (kept.length < present.length) putTags(tx, resourceArn, kept)
      return {}
    }),
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = {
  resources: (_, { resourceArn = '' }) => [resourceArn],
  run: (context, { resourceArn = '' }) => {
    requireTaggable(context.store, context, resourceArn, false)
    return { tags: showTags(context.store, resourceArn) }
  },
}

/** For each kind of resource that has tags: throws the error of its kind unless there is one with the ARN. */
const taggable: Readonly<Record<string, (view: View, context: Context, arn: string) => void>> = {
  'capacity-provider': (view, { scope }, arn) => {
    const found = view.find('capacityProvider', arn)
    if (!found || !isIn(scope, found) || found.status === 'INACTIVE') throw notFound('capacity provider')
  },
  cluster: resolveCluster,
  'container-instance': (view, { scope }, arn) => {
    const found = view.find('containerInstance', arn)
    if (!found || !isIn(scope, found) || found.status === 'INACTIVE') throw notFound('container instance')
  },
  daemon: resolveDaemon,
  'daemon-task-definition': resolveDaemonTaskDefinition,
  service: (view, { scope }, arn) => {
    const found = view.find('service', arn)
    if (!found || !isIn(scope, found) || found.status === 'INACTIVE')
      throw new AwsError('ServiceNotFoundException', 'Service not found.')
  },
  task: (view, { scope }, arn) => {
    const found = view.find('task', arn)
    if (!found || !maySpeakFor(scope, found)) throw notFound('task')
  },
  'task-set': (view, { scope }, arn) => {
    const found = view.find('taskSet', arn)
    if (!found || !isIn(scope, found)) throw notFound('task set')
  },
  'task-definition': (view, context, arn) => {
    if (!findTaskDefinition(view, context, arn))
      throw new AwsError('ClientException', 'Unable to describe task definition.')
  },
}
/** Kinds whose ARN names the cluster, since 2018; things known by the shorter form cannot be tagged. */
const clusterMembers = ['container-instance', 'service', 'task']

function requireTaggable(view: View, context: Context, resourceArn: string, writing: boolean): void {
  const arn = parseArn(resourceArn)
  const [kind = '', ...path] = arn?.resource.split('/') ?? []
  const check = Object.hasOwn(taggable, kind) ? taggable[kind] : undefined
  if (arn?.service !== 'ecs' || path.length === 0)
    throw new AwsError('InvalidParameterException', 'The ARN provided is invalid.')
  if (!check) throw new AwsError('InvalidParameterException', `Unsupported resource type: ${kind}`)
  if (writing && clusterMembers.includes(kind) && path.length < 2)
    throw new AwsError('InvalidParameterException', 'Long arn format must be used for tagging operations')
  if (kind.endsWith('task-definition') && !resourceArn.includes(':', resourceArn.indexOf('/')))
    throw new AwsError('InvalidParameterException', 'The ARN provided is invalid.')

  check(view, context, resourceArn)
}

function notFound(what: string): AwsError {
  return new AwsError('InvalidParameterException', `The specified ${what} was not found.`)
}
