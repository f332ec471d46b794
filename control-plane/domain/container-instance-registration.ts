/** What a container instance becomes by what its agent registers of it. */
import type { Attribute, PlatformDevice, Resource, VersionInfo } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from './container-instance.ts'
import type { Instance } from './instance.ts'

/** What an agent says of its host. */
export interface Registration {
  readonly totalResources: readonly Resource[]
  readonly platformDevices: readonly PlatformDevice[]
  readonly attributes: readonly Attribute[]
  readonly versionInfo?: VersionInfo
  readonly clientToken?: string
  /** The EC2 instance it runs on; absent off EC2. */
  readonly identity?: HostIdentity
}

/** What ECS learns of an EC2 instance from its identity document. */
export interface HostIdentity {
  readonly instanceId: string
  /** `ecs.availability-zone` and the like: what the agent does not say itself. */
  readonly attributes: readonly Attribute[]
  /** Absent when it belongs to none. */
  readonly capacityProviderName?: string
  /** Whether that provider is of managed instances. */
  readonly managed?: true
  /** How many tasks with a network interface of their own it takes. */
  readonly taskInterfacesMax?: number
}

/** The row of the instance once registered anew (`known` undefined) or again; again it keeps what only the user changes. */
export function registered(
  known: ContainerInstance | undefined,
  base: Pick<
    ContainerInstance,
    'accountId' | 'region' | 'containerInstanceArn' | 'clusterArn' | 'controlPlaneUrl'
  >,
  registration: Registration,
  { now, externalId }: { readonly now: number; readonly externalId: string },
): ContainerInstance {
  const { identity, attributes, clientToken } = registration
  const external = attributes.some(({ name }) => name === 'ecs.capability.external')
  const { capacityProviderName, managed } = identity ?? known ?? {}
  const ec2InstanceId = identity?.instanceId ?? known?.ec2InstanceId ?? (external ? externalId : undefined)
  // Of one that was deregistered, nothing that was known of its agent's session holds any more.
  const live = known?.status === 'INACTIVE' ? undefined : known
  return {
    ...base,
    ...(ec2InstanceId !== undefined && { ec2InstanceId }),
    external,
    ...(capacityProviderName !== undefined && { capacityProviderName }),
    ...(managed && { managed }),
    status: live?.status ?? 'ACTIVE',
    agentConnected: live?.agentConnected ?? false,
    ...(live?.agentLostBy !== undefined && { agentLostBy: live.agentLostBy }),
    versionInfo: registration.versionInfo ?? known?.versionInfo ?? {},
    registeredResources: resourcesOf(registration),
    attributes: attributesOf(registration, known),
    ...(identity?.taskInterfacesMax !== undefined && { taskInterfacesMax: identity.taskInterfacesMax }),
    registeredAt: known?.registeredAt ?? now,
    ...(clientToken !== undefined && { clientToken }),
    ...(live?.runtimeHealth && { runtimeHealth: live.runtimeHealth }),
    version: (known?.version ?? 0) + 1,
  }
}

/** Whether an attribute is one of ECS itself and not one that a user gave. */
export function isBuiltIn({ name = '' }: Attribute): boolean {
  return name.startsWith('ecs.') || name.startsWith('com.amazonaws.ecs.')
}

/** How many attributes of users' an instance can have. */
export const customAttributesMax = 10

/** Why an attribute can be none; undefined when it can. AWS's texts are not known, its rules are. */
export function attributeProblem({ name = '', value = '' }: Attribute): string | undefined {
  if (!/^[A-Za-z0-9\-_/\\.]{1,128}$/.test(name))
    return 'Attribute names must have 1 to 128 letters, numbers, hyphens, underscores, slashes and periods.'
  if (!/^[A-Za-z0-9\-_.@:/\\ ]{0,128}$/.test(value) || value.trim() !== value)
    return 'Attribute values must have 1 to 128 letters, numbers, hyphens, underscores, periods, at signs, slashes, colons and spaces, with no space at either end.'
  return undefined
}

/** The identity of one of our own EC2 instances. */
export function identityOf(instance: Instance, architecture: string): HostIdentity {
  const { instanceId, availabilityZone, instanceType, imageId, vpcId, subnetId } = instance
  return {
    instanceId,
    attributes: hostAttributes({ availabilityZone, instanceType, imageId, vpcId, subnetId, architecture }),
  }
}

/** The built-in attributes that follow from facts of a host; a fact not known gives none. */
export function hostAttributes(facts: {
  readonly availabilityZone?: string
  readonly instanceType?: string
  readonly imageId?: string
  readonly vpcId?: string
  readonly subnetId?: string
  readonly architecture?: string
}): readonly Attribute[] {
  const named = [
    ['ecs.availability-zone', facts.availabilityZone],
    ['ecs.instance-type', facts.instanceType],
    ['ecs.ami-id', facts.imageId],
    ['ecs.vpc-id', facts.vpcId],
    ['ecs.subnet-id', facts.subnetId],
    ['ecs.cpu-architecture', facts.architecture],
    ['ecs.os-type', 'linux'],
  ] as const
  return named.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
}

const resourceOrder = ['CPU', 'MEMORY', 'PORTS', 'PORTS_UDP']

function resourcesOf({ totalResources, platformDevices }: Registration): readonly Resource[] {
  const gpus = platformDevices.flatMap(({ id, type }) => (type === 'GPU' && id !== undefined ? [id] : []))
  const devices: Resource[] =
    gpus.length > 0 ? [{ name: 'GPU', type: 'STRINGSET', stringSetValue: gpus }] : []
  const rank = ({ name = '' }: Resource): number =>
    resourceOrder.includes(name) ? resourceOrder.indexOf(name) : resourceOrder.length
  return [...totalResources, ...devices]
    .map((resource) => ({ doubleValue: 0, longValue: 0, integerValue: 0, ...resource }))
    .toSorted((left, right) => rank(left) - rank(right))
}

/**
 * What the agent says goes over what the host's identity tells, because the agent insists on being told its own values.
 * An agent that registers again leaves the custom attributes out: they stay as they are.
 */
function attributesOf(
  { attributes, identity }: Registration,
  known: ContainerInstance | undefined,
): readonly Attribute[] {
  const custom = (known?.attributes ?? []).filter((attribute) => !isBuiltIn(attribute))
  const all = [...(identity?.attributes ?? []), ...attributes, ...custom].map(
    ({ name = '', value }) =>
      [name, { name, ...(value !== undefined && value !== '' && { value }) }] as const,
  )
  return [...new Map(all).values()]
}
