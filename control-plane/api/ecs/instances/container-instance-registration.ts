/** What agents call: registering their host, and asking where to connect. */
import type {
  Attribute,
  DiscoverPollEndpointRequest,
  DiscoverPollEndpointResponse,
  RegisterContainerInstanceRequest,
  RegisterContainerInstanceResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { arnName, formatArn } from '#domain/arn.ts'
import { capacityProviderTag, isProviderName } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import {
  attributeProblem,
  customAttributesMax,
  hostAttributes,
  identityOf,
  isBuiltIn,
  registered,
  type HostIdentity,
} from '#domain/container-instance-registration.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { isFargateHost } from '#domain/fargate.ts'
import type { Instance } from '#domain/instance.ts'
import { externalInstanceIdOf } from '#domain/join.ts'
import { taskInterfacesMax } from '#domain/network-interface-limits.ts'
import { findProviderType } from '#state/capacity-providers.ts'
import type { Transaction } from '#state/store.ts'
import { arnInCluster, clusterArnOf, isIn, resolveCluster } from '#api/ecs/resolve.ts'
import { effectiveSetting } from '#api/ecs/account-setting.ts'
import { showContainerInstance } from './show-container-instance.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

/** Agents send a token that AWS's published model does not have; it is the same when a request is sent again. */
type Input = RegisterContainerInstanceRequest & { readonly clientToken?: string | undefined }

export const registerContainerInstance: Operation<Input, RegisterContainerInstanceResponse> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) => {
    const tags = checkedTags(input.tags)
    checkCustomAttributes(input.attributes)
    const document = parseDocument(input.instanceIdentityDocument)
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const repeated = registeredWith(tx, cluster, input)
      if (repeated) return { containerInstance: showContainerInstance(tx, context, repeated, ['TAGS']) }
      const known = knownInstance(tx, cluster, input.containerInstanceArn)
      const identity = document && identityFrom(tx, context, document, input.attributes)
      const { versionInfo, clientToken } = input
      const row = registered(
        known,
        {
          ...context.scope,
          ...(context.reachedAt !== undefined && { controlPlaneUrl: context.reachedAt }),
          clusterArn: cluster.clusterArn,
          containerInstanceArn: newArn(context, cluster, input.containerInstanceArn),
        },
        {
          totalResources: input.totalResources ?? [],
          platformDevices: input.platformDevices ?? [],
          attributes: input.attributes ?? [],
          ...(versionInfo && { versionInfo }),
          ...(clientToken !== undefined && { clientToken }),
          ...(identity && { identity }),
        },
        { now: context.clock.now(), externalId: externalIdOf(context) },
      )
      if (known) requireSameType(known, row)
      tx.put('containerInstance', row)
      // An agent that registers again says nothing of tags that were added since.
      if (!known || tags.length > 0) putTags(tx, row.containerInstanceArn, tags)
      return { containerInstance: showContainerInstance(tx, context, row, ['TAGS']) }
    })
  },
}

export const discoverPollEndpoint: Operation<DiscoverPollEndpointRequest, DiscoverPollEndpointResponse> = {
  resources: () => ['*'],
  run: (context, { cluster, containerInstance: ref }) => {
    const { installation } = context
    const arn =
      ref === undefined || ref.startsWith('arn:')
        ? ref
        : formatArn(
            context.scope,
            'ecs',
            `container-instance/${arnName(clusterArnOf(context, cluster))}/${ref}`,
          )
    const known = arn === undefined ? installation.url : installation.agentUrl(arn)
    const url = context.reachedAt ?? known
    return {
      endpoint: `${url}/acs`,
      telemetryEndpoint: `${url}/tcs`,
      serviceConnectEndpoint: `${url}/service-connect`,
    }
  },
}

/** A host that joined has the id it signs with; another agent off EC2 gets one. */
function externalIdOf({ caller, ids }: Context): string {
  return externalInstanceIdOf(caller.arn) ?? `mi-${ids.hex(17)}`
}

/** What the host's user told the agent to register; of what the agent itself says nothing is asked. */
function checkCustomAttributes(attributes: readonly Attribute[] = []): void {
  const custom = attributes.filter((attribute) => !isBuiltIn(attribute))
  const problem = custom.map(attributeProblem).find((text) => text !== undefined)
  if (problem !== undefined) throw new AwsError('InvalidParameterException', problem)
  if (custom.length > customAttributesMax)
    throw new AwsError(
      'InvalidParameterException',
      `A resource can have at most ${customAttributesMax} custom attributes.`,
    )
}

/** The instance that the same request made when it was sent before. */
function registeredWith(tx: Transaction, cluster: Cluster, input: Input): ContainerInstance | undefined {
  if (!input.clientToken) return undefined
  return tx
    .by('containerInstance', 'clientToken', input.clientToken)
    .find((row) => row.clusterArn === cluster.clusterArn && row.status !== 'INACTIVE')
}

function knownInstance(
  tx: Transaction,
  cluster: Cluster,
  ref: string | undefined,
): ContainerInstance | undefined {
  return ref ? tx.find('containerInstance', arnInCluster(cluster, 'container-instance', ref)) : undefined
}

/**
 * An agent keeps the ARN it once got for as long as it keeps its disk. One that is not known here, because the state was
 * lost, is taken as it is: the agent would not accept another.
 */
function newArn({ scope, ids }: Context, cluster: Cluster, ref: string | undefined): string {
  if (ref) {
    const arn = arnInCluster(cluster, 'container-instance', ref)
    if (!arn.startsWith(`arn:aws:ecs:${scope.region}:${scope.accountId}:`))
      throw new AwsError('InvalidParameterException', `Invalid identifier: ${ref}`)
    return arn
  }
  return formatArn(scope, 'ecs', `container-instance/${cluster.clusterName}/${ids.hex(32)}`)
}

function requireSameType(known: ContainerInstance, row: ContainerInstance): void {
  const typeOf = ({ attributes }: ContainerInstance): string | undefined =>
    attributes.find(({ name }) => name === 'ecs.instance-type')?.value
  const [before, after] = [typeOf(known), typeOf(row)]
  if (before !== undefined && after !== undefined && before !== after)
    throw new AwsError('InvalidParameterException', 'Container instance type changes are not supported.')
}

/** What is read of an instance identity document: a JSON object of texts. */
type Document = Readonly<Partial<Record<string, unknown>>>

function parseDocument(text: string | undefined): Document | undefined {
  if (!text) return undefined
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null) return document as Document
  } catch {
    // Falls through to the refusal below, as anything else that is not an object does.
  }
  throw new AwsError('ClientException', 'Unable to parse the instance identity document.')
}

/** Of an instance that we run, its row tells; of any other, the document does. */
function identityFrom(
  tx: Transaction,
  context: Context,
  document: Document,
  attributes: readonly Attribute[] = [],
): HostIdentity | undefined {
  const { scope } = context
  const text = (member: string): string | undefined => {
    const value = document[member]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const instanceId = text('instanceId')
  if (instanceId === undefined) return undefined
  const instance = tx.find('instance', instanceId)
  if (instance) {
    if (!isIn(scope, instance))
      throw new AwsError('ClientException', 'The instance belongs to another account or Region.')
    return {
      ...identityOf(instance, instanceTypes.get(instance.instanceType)?.architecture ?? 'x86_64'),
      ...providerOf(tx, instance),
      ...interfacesOf(context, instance, attributes),
    }
  }
  const facts = {
    availabilityZone: text('availabilityZone'),
    instanceType: text('instanceType'),
    imageId: text('imageId'),
    architecture: text('architecture'),
  }
  return { instanceId, attributes: hostAttributes(withoutAbsent(facts)) }
}

/** Of an agent that can trunk, the account's setting decides; hosts of Fargate have no limit. */
function interfacesOf(
  context: Context,
  { instanceType, accountId }: Instance,
  attributes: readonly Attribute[],
): Pick<HostIdentity, 'taskInterfacesMax'> {
  if (isFargateHost({ accountId })) return {}
  const canTrunk = attributes.some(({ name }) => name === 'ecs.capability.task-eni-trunking')
  const max = taskInterfacesMax(
    instanceType,
    canTrunk && effectiveSetting(context, 'awsvpcTrunking') === 'enabled',
  )
  return max === undefined ? {} : { taskInterfacesMax: max }
}

/** The capacity provider that the instance's tag gives it to. Whether there is such a provider is not asked: it may come later. */
function providerOf(
  tx: Transaction,
  instance: Instance,
): Pick<HostIdentity, 'capacityProviderName' | 'managed'> {
  const arn = formatArn(instance, 'ec2', `instance/${instance.instanceId}`)
  const name = tx.find('resourceTags', arn)?.tags.find(({ key }) => key === capacityProviderTag)?.value
  if (name === undefined || !isProviderName(name)) return {}
  const managed = findProviderType(tx, instance, name) === 'MANAGED_INSTANCES'
  return { capacityProviderName: name, ...(managed && { managed }) }
}

function withoutAbsent<Facts extends object>(facts: Facts): { [K in keyof Facts]?: NonNullable<Facts[K]> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof Facts]?: NonNullable<Facts[K]>
  }
}
