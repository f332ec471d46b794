import type {
  AddTagsToResourceRequest,
  ListTagsForResourceRequest,
  ListTagsForResourceResult,
  RemoveTagsFromResourceRequest,
  Tag,
} from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { constrainTags, putTags, showTags } from '#api/schedule-tags.ts'
import type { Transaction, View } from '#state/store.ts'
import { findParameter, touched } from './resolve.ts'

const tagsMax = 50
const resourceTypes = [
  'Document',
  'ManagedInstance',
  'MaintenanceWindow',
  'Parameter',
  'PatchBaseline',
  'OpsItem',
  'OpsMetadata',
  'Automation',
  'Association',
]

export function checkTags(check: Constraints, tags: readonly Tag[] | undefined): void {
  constrainTags(
    check,
    tags?.map(({ Key, Value }) => ({ Key, Value })),
    1000,
  )
}

/** Throws TooManyTagsError. */
export function addParameterTags(tx: Transaction, parameterArn: string, tags: readonly Tag[]): void {
  const merged = new Map((tx.find('resourceTags', parameterArn)?.tags ?? []).map((tag) => [tag.key, tag]))
  for (const { Key = '', Value = '' } of tags) {
    // No source gives AWS's text.
    if (/^aws:/i.test(Key)) invalid(`Tag key can't be prefixed with "aws:" (case-insensitive). Key: ${Key}`)
    merged.set(Key, { key: Key, value: Value })
  }
  if (merged.size > tagsMax)
    throw new AwsError('TooManyTagsError', `A parameter can have a maximum of ${tagsMax} tags.`)
  putTags(tx, parameterArn, [...merged.values()])
}

interface Named {
  readonly ResourceType?: string | undefined
  readonly ResourceId?: string | undefined
}

const resources = (context: Context, { ResourceId }: Named): readonly string[] =>
  touched(context, [ResourceId])

/** Throws InvalidResourceId: there is nothing to tag but parameters. */
function parameterArn(view: View, context: Context, { ResourceType, ResourceId = '' }: Named): string {
  const check = constraints()
  check.oneOf('resourceType', ResourceType, resourceTypes)
  check.check()
  const parameter = ResourceType === 'Parameter' ? findParameter(view, context, ResourceId) : undefined
  if (!parameter) throw new AwsError('InvalidResourceId', 'Invalid Resource Id')
  return parameter.parameterArn
}

export const addTagsToResource: Operation<AddTagsToResourceRequest, Record<string, never>> = {
  resources,
  run: (context, input) => {
    const check = constraints()
    checkTags(check, input.Tags)
    check.check()
    return context.store.update((tx) => {
      addParameterTags(tx, parameterArn(tx, context, input), input.Tags ?? [])
      return {}
    })
  },
}

export const removeTagsFromResource: Operation<RemoveTagsFromResourceRequest, Record<string, never>> = {
  resources,
  run: (context, input) =>
    context.store.update((tx) => {
      const arn = parameterArn(tx, context, input)
      const tags = tx.find('resourceTags', arn)?.tags ?? []
      putTags(
        tx,
        arn,
        tags.filter(({ key }) => !input.TagKeys?.includes(key)),
      )
      return {}
    }),
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResult> = {
  resources,
  run: (context, input) => ({
    TagList: showTags(context.store, parameterArn(context.store, context, input)),
  }),
}
