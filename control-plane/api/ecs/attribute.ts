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
import { isBuiltIn } from '#domain/container-instance-registration.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { View } from '#state/store.ts'
import { liveInstances } from './container-instance.ts'
import { page } from '#api/page.ts'
import { checkOneOf } from './placement-checks.ts'
import { clusterArnOf, findContainerInstance, resolveCluster } from './resolve.ts'

const requestCountMax = 10
const customCountMax = 10

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
        if (!isBuiltIn(attribute) && custom.length > customCountMax)
          throw new AwsError(
            'AttributeLimitExceededException',
            `A resource can have at most ${customCountMax} custom attributes.`,
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
    checkOneOf('targetType', targetType, ['container-instance'])
    if (attributeValue !== undefined && attributeName === undefined)
      throw new AwsError('InvalidParameterException', 'attributeName is required with attributeValue.')
    const cluster = resolveCluster(context.store, context, clusterRef)
    const found = liveInstances(context.store, cluster).flatMap((instance) =>
      instance.attributes
        .filter(
          ({ name, value }) =>
            (attributeName === undefined || name === attributeName) &&
            (attributeValue === undefined || value === attributeValue),
        )
        .map(({ name = '', value }) => ({
          name,
          ...(value !== undefined && { value }),
          targetId: instance.containerInstanceArn,
        })),
    )
    const parameters = {
      operation: 'ListAttributes',
      cluster: cluster.clusterArn,
      attributeName,
      attributeValue,
    }
    const { rows, ...rest } = page(
      found,
      { maxResults, nextToken, limit: 100, default: 100, parameters },
      ({ name, targetId }) => `${targetId} ${name}`,
    )
    return { attributes: [...rows], ...rest }
  },
}

function checkAttributes(attributes: readonly Attribute[]): void {
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterException', message)
  }
  if (attributes.length === 0) refuse('Attributes cannot be empty.')
  if (attributes.length > requestCountMax)
    refuse(`Attributes cannot have more than ${requestCountMax} elements.`)
  for (const { name = '', value = '', targetType } of attributes) {
    checkOneOf('targetType', targetType, ['container-instance'])
    if (!/^[A-Za-z0-9\-_/\\.]{1,128}$/.test(name))
      refuse(
        'Attribute names must have 1 to 128 letters, numbers, hyphens, underscores, slashes and periods.',
      )
    if (!/^(?:[A-Za-z0-9\-_.@:/\\](?:[A-Za-z0-9\-_.@:/\\ ]{0,126}[A-Za-z0-9\-_.@:/\\])?)?$/.test(value))
      refuse(
        'Attribute values must have 1 to 128 letters, numbers, hyphens, underscores, periods, at signs, slashes, colons and spaces, with no space at either end.',
      )
  }
}

function resolveTarget(view: View, cluster: Cluster, targetId: string | undefined): ContainerInstance {
  if (!targetId) throw new AwsError('InvalidParameterException', 'targetId is required.')
  const target = findContainerInstance(view, cluster, targetId)
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
