import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  TagResourceRequest,
  TagResourceResponse,
  UntagResourceRequest,
  UntagResourceResponse,
} from '@aws-sdk/client-eventbridge'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { addTags, constrainTags, removeTags, showTags } from '#api/schedule-tags.ts'
import { parseArn } from '#domain/arn.ts'
import type { View } from '#state/store.ts'
import { resolveRule } from './resolve.ts'
import { tagsMax } from './rule.ts'

const resources = (_: Context, { ResourceARN = '' }: ListTagsForResourceRequest): string[] => [ResourceARN]

export const tagResource: Operation<TagResourceRequest, TagResourceResponse> = {
  resources,
  run: (context, { ResourceARN = '', Tags = [] }) => {
    const check = constraints()
    check.text('resourceARN', ResourceARN, { max: 1600 })
    constrainTags(check, Tags, Infinity)
    check.check()
    return context.store.update((tx) => {
      requireRule(tx, context, ResourceARN)
      addTags(tx, ResourceARN, Tags, tagsMax)
      return {}
    })
  },
}

export const untagResource: Operation<UntagResourceRequest, UntagResourceResponse> = {
  resources,
  run: (context, { ResourceARN = '', TagKeys = [] }) =>
    context.store.update((tx) => {
      requireRule(tx, context, ResourceARN)
      removeTags(tx, ResourceARN, TagKeys)
      return {}
    }),
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResponse> = {
  resources,
  run: (context, { ResourceARN = '' }) => {
    requireRule(context.store, context, ResourceARN)
    return { Tags: showTags(context.store, ResourceARN) }
  },
}

/** Throws ResourceNotFoundException, and ValidationException for the ARN of another thing. */
function requireRule(view: View, { scope }: Context, arn: string): void {
  const parsed = parseArn(arn)
  const [kind, ...path] = parsed?.resource.split('/') ?? []
  if (parsed?.service !== 'events' || kind !== 'rule' || path.length === 0)
    invalid(`Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`)
  const name = path.join('/')
  const rule = resolveRule(view, { scope }, name)
  if (rule.ruleArn !== arn)
    throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
}
