import type {
  Attribute,
  DeleteAttributesRequest,
  DeleteAttributesResponse,
  ListAttributesRequest,
  ListAttributesResponse,
  PutAttributesRequest,
  PutAttributesResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import { attributeProblem, customAttributesMax, isBuiltIn } from '#domain/container-instance-registration.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { View } from '#state/store.ts'
import { instancesAfter } from './container-instance.ts'
import { pageInOrder } from '#api/page.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, resolveCluster } from '#api/ecs/resolve.ts'
import { containerInstanceArnOf } from '#api/ecs/tasks/task-reference.ts'

const requestCountMax = 10

export const putAttributes: Operation<PutAttributesRequest, PutAttributesResponse> = {
  resources: targets,
  run: (context, { cluster: clusterRef, attributes = [] }) => {
    checkAttributes(attributes)
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, clusterRef)
      const put = attributes.map(({ name = '', value, targetId }) => {
        const target = resolveTarget(tx, cluster, targetId)
        const attribute = { name, ...(value !== undefined && { value }) }
        const merged = new Map([...target.attributes, attribute].map((each) => [each.name, each] as const))
        const custom = [...merged.values()].filter((each) => !isBuiltIn(each))
        if (custom.length > customAttributesMax)
          throw new AwsError(
            'AttributeLimitExceededException',
            `A resource can have at most ${customAttributesMax} custom attributes.`,
          )
        tx.put('containerInstance', {
          ...target,
          attributes: [...merged.values()],
          version: target.version + 1,
        })
        return { ...attribute, targetId: target.containerInstanceArn }
      })
      return { attributes: put }
    })
  },
}

export const deleteAttributes: Operation<DeleteAttributesRequest, DeleteAttributesResponse> = {
  resources: targets,
  run: (context, { cluster: clusterRef, attributes = [] }) => {
    checkAttributes(attributes)
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, clusterRef)
      const deleted = attributes.flatMap(({ name = '', value, targetId }): Attribute[] => {
        const target = resolveTarget(tx, cluster, targetId)
        const found = target.attributes.find((each) => each.name === name)
        if (!found || (value !== undefined && found.value !== value)) return []
        tx.put('containerInstance', {
          ...target,
          attributes: target.attributes.filter((each) => each !== found),
          version: target.version + 1,
        })
        return [{ ...found, targetId: target.containerInstanceArn }]
      })
      return { attributes: deleted }
    })
  },
}

export const listAttributes: Operation<ListAttributesRequest, ListAttributesResponse> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) => {
    const { cluster: clusterRef, attributeName, attributeValue, targetType, maxResults, nextToken } = input
    checkOneOf('targetType', targetType ?? '', ['container-instance'])
    if (attributeValue !== undefined && attributeName === undefined)
      refuse('attributeName is required with attributeValue.')
    const cluster = resolveCluster(context.store, context, clusterRef)
    const parameters = {
      operation: 'ListAttributes',
      cluster: cluster.clusterArn,
      attributeName,
      attributeValue,
    }
    const { rows, ...rest } = pageInOrder(
      (after) => attributesAfter(context.store, cluster, { attributeName, attributeValue }, after),
      { context, maxResults, nextToken, limit: 100, default: 100, parameters },
      ({ name, targetId }) => `${targetId} ${name}`,
    )
    return { attributes: [...rows], ...rest }
  },
}

interface Listed extends Attribute {
  readonly name: string
  readonly targetId: string
}

/** The attributes of the cluster's instances in the order of `TARGET NAME`, those after one of them or all. */
function* attributesAfter(
  view: View,
  cluster: Cluster,
  { attributeName, attributeValue }: Pick<ListAttributesRequest, 'attributeName' | 'attributeValue'>,
  after: string | undefined,
): Generator<Listed> {
  const [target, last = ''] = after?.split(' ') ?? []
  const first = target === undefined ? undefined : view.find('containerInstance', target)
  const isLive = ({ status }: ContainerInstance): boolean => status !== 'INACTIVE'
  const listed = function* (instance: ContainerInstance): Generator<Listed> {
    const sorted = instance.attributes
      .map(({ name = '', value }) => ({ name, ...(value !== undefined && { value }) }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    for (const attribute of sorted)
      if (
        (attributeName === undefined || attribute.name === attributeName) &&
        (attributeValue === undefined || attribute.value === attributeValue)
      )
        yield { ...attribute, targetId: instance.containerInstanceArn }
  }
  if (first && isLive(first)) for (const each of listed(first)) if (each.name > last) yield each
  for (const instance of instancesAfter(view, cluster, target, isLive)) yield* listed(instance)
}

function checkAttributes(attributes: readonly Attribute[]): void {
  if (attributes.length === 0) refuse('Attributes cannot be empty.')
  if (attributes.length > requestCountMax)
    refuse(`Attributes cannot have more than ${requestCountMax} elements.`)
  for (const attribute of attributes) {
    checkOneOf('targetType', attribute.targetType, ['container-instance'])
    if (attribute.targetType === undefined && attribute.targetId?.startsWith('arn:') === false)
      refuse('targetType is required when targetId is not an ARN.')
    const problem = attributeProblem(attribute)
    if (problem !== undefined) refuse(problem)
    if (isBuiltIn(attribute)) refuse(`Attribute '${attribute.name}' is reserved and cannot be changed.`)
  }
}

function resolveTarget(view: View, cluster: Cluster, targetId: string | undefined): ContainerInstance {
  if (!targetId) return refuse('targetId is required.')
  const target = view.find('containerInstance', containerInstanceArnOf(cluster, targetId))
  if (!target || target.status === 'INACTIVE')
    throw new AwsError('TargetNotFoundException', `The specified target ${targetId} was not found.`)
  return target
}

function targets(
  context: Context,
  { cluster, attributes = [] }: PutAttributesRequest | DeleteAttributesRequest,
): readonly string[] {
  const prefix = clusterArnOf(context, cluster).replace(':cluster/', ':container-instance/')
  return attributes.map(({ targetId = '*' }) =>
    targetId.startsWith('arn:') ? targetId : `${prefix}/${targetId}`,
  )
}
