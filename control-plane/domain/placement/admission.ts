import type { PlacementConstraint } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Demand, HostPort } from '#domain/resources.ts'
import type { InstanceLoad } from './instance-load.ts'
import { type Query, matches, parseQuery } from './query.ts'

/** What an instance must have and be for a task. */
export interface Requirements {
  readonly demand: Demand
  /** `service:NAME`, `family:NAME` or the caller's word: its tasks count for spread and distinctInstance. */
  readonly group: string
  /** EC2 takes every instance that is not external, EXTERNAL the external ones. */
  readonly launchType: 'EC2' | 'EXTERNAL'
  /** Only instances of that capacity provider are asked; absent: all but managed ones, whosever they are. */
  readonly capacityProviderName?: string
  readonly requiresAttributes: ReadonlyArray<{ readonly name: string; readonly value?: string }>
  /** The availability zones of the subnets that its network interface may be in; absent: it needs none. */
  readonly zones?: readonly string[]
  /** Those of the task definition and of the request together. */
  readonly constraints: readonly PlacementConstraint[]
}

/** AWS keeps at most so many ports of an instance reserved, its own defaults included. */
export const reservedPortsMax = 100

type Kind = Pick<Requirements, 'launchType' | 'capacityProviderName'>

/** Whether an instance is asked at all; one that is not does not appear among the failures. */
export function isCandidate({ instance }: InstanceLoad, kind: Kind): boolean {
  return (
    instance !== undefined &&
    instance.status === 'ACTIVE' &&
    isOfLaunchType(instance, kind) &&
    isOfProvider(instance, kind)
  )
}

/** Why an instance is not asked, for a person; undefined when it is. */
export function notAskedBecause(
  { instance }: InstanceLoad,
  kind: Kind,
): { readonly filter: 'STATUS' | 'LAUNCH TYPE' | 'CAPACITY PROVIDER'; readonly detail: string } | undefined {
  if (instance?.status !== 'ACTIVE')
    return { filter: 'STATUS', detail: `is ${instance?.status ?? 'gone'}, not ACTIVE` }
  if (!isOfLaunchType(instance, kind))
    return {
      filter: 'LAUNCH TYPE',
      detail: `is ${instance.external ? 'an external instance' : 'an EC2 instance'}, the launch type is ${kind.launchType}`,
    }
  if (isOfProvider(instance, kind)) return undefined
  const { capacityProviderName } = instance
  const its = capacityProviderName === undefined ? 'to no capacity provider' : `to ${capacityProviderName}`
  return {
    filter: 'CAPACITY PROVIDER',
    detail:
      kind.capacityProviderName === undefined
        ? `is a managed instance of ${capacityProviderName}: a launch type brings no tasks there`
        : `belongs ${its}, not to ${kind.capacityProviderName}`,
  }
}

function isOfLaunchType({ external }: ContainerInstance, { launchType }: Kind): boolean {
  return external === (launchType === 'EXTERNAL')
}

function isOfProvider(instance: ContainerInstance, { capacityProviderName }: Kind): boolean {
  return capacityProviderName === undefined
    ? instance.managed === undefined
    : instance.capacityProviderName === capacityProviderName
}

type Admits = (load: InstanceLoad) => boolean

/** What one requirement asks of each instance. */
export interface Rule {
  /** What a client is shown when it is not met. */
  readonly reason: string
  readonly admits: Admits
  /** The answer depends on the instance's row alone, not on the tasks it has. */
  readonly settled: boolean
}

/** One row a requirement, in the order asked; the first that refuses gives the reason a client is shown. */
const requirements: ReadonlyArray<{
  readonly reason: string
  /** What is asked of each instance; undefined when the task asks nothing of the kind. */
  readonly rule: (task: Requirements) => Admits | undefined
  readonly settled?: (task: Requirements) => boolean
}> = [
  { reason: 'AGENT', rule: () => (load) => load.instance?.agentConnected === true, settled: always },
  { reason: 'RESOURCE:CPU', rule: ({ demand }) => atLeast(demand.cpu, (load) => load.free.cpu) },
  { reason: 'RESOURCE:MEMORY', rule: ({ demand }) => atLeast(demand.memoryMiB, (load) => load.free.memory) },
  { reason: 'RESOURCE:GPU', rule: ({ demand }) => atLeast(demand.gpu, (load) => load.free.gpu) },
  {
    reason: 'RESOURCE:PORTS',
    rule: ({ demand }) => (demand.ports.length > 0 ? portsFree(demand.ports) : undefined),
  },
  { reason: 'RESOURCE:ENI', rule: ({ demand: { eni = 0 } }) => atLeast(eni, (load) => load.free.eni) },
  { reason: 'ATTRIBUTE', rule: hasAttributes, settled: always },
  { reason: 'LOCATION', rule: isInZone, settled: always },
  { reason: 'MemberOf placement constraint unsatisfied', rule: isMember, settled: asksRowsOnly },
  { reason: 'DistinctInstance placement constraint unsatisfied', rule: isDistinct },
]

const ranks: ReadonlyMap<string, number> = new Map(requirements.map(({ reason }, rank) => [reason, rank]))

/** How many requirements an instance refused for that reason had met. */
export function refusalRank(reason: string): number {
  return ranks.get(reason) ?? -1
}

/** What the task asks, in the order asked. Throws QueryError when an expression does not parse. */
export function rulesOf(task: Requirements): readonly Rule[] {
  return requirements.flatMap(({ reason, rule, settled }) => {
    const admits = rule(task)
    return admits ? [{ reason, admits, settled: settled?.(task) ?? false }] : []
  })
}

/**
 * Gives for each instance the reason why the task cannot run there, or undefined. The instance's status, launch
 * type and capacity provider are not asked. Throws QueryError when an expression does not parse.
 */
export function refusalOf(task: Requirements): (load: InstanceLoad) => string | undefined {
  const rules = rulesOf(task)
  return (load) => {
    for (const { reason, admits } of rules) if (!admits(load)) return reason
    return undefined
  }
}

/**
 * Whether an instance is of the kind that the task asks for, whatever room it has and wherever its agent is: each such
 * instance should have its task of a DAEMON service. Throws QueryError when an expression does not parse.
 */
export function suits(task: Requirements): (load: InstanceLoad) => boolean {
  const rules = [hasAttributes(task), isInZone(task), isMember(task)].filter((rule) => rule !== undefined)
  return (load) => isCandidate(load, task) && rules.every((rule) => rule(load))
}

function always(): boolean {
  return true
}

function atLeast(wanted: number, free: (load: InstanceLoad) => number): Admits | undefined {
  return wanted === 0 ? undefined : (load) => free(load) >= wanted
}

function portsFree(ports: readonly HostPort[]): Admits {
  return (load) => {
    if (!ports.every((port) => load.isFree(port))) return false
    return (['tcp', 'udp'] as const).every((protocol) => {
      const more = ports.filter((port) => port.protocol === protocol).length
      return more === 0 || load.usedPortsCount(protocol) + more <= reservedPortsMax
    })
  }
}

function hasAttributes({ requiresAttributes }: Requirements): Admits | undefined {
  if (requiresAttributes.length === 0) return undefined
  return ({ attributes }) =>
    requiresAttributes.every(({ name, value }) =>
      value === undefined ? attributes.has(name) : attributes.get(name) === value,
    )
}

/** An external instance is in no zone and has no network interfaces to give. */
function isInZone({ zones }: Requirements): Admits | undefined {
  return zones && (({ attributes }) => zones.includes(attributes.get('ecs.availability-zone') ?? ''))
}

function queriesOf({ constraints }: Requirements): Query[] {
  return constraints
    .filter(({ type }) => type === 'memberOf')
    .map(({ expression }) => parseQuery(expression ?? ''))
}

function asksRowsOnly(task: Requirements): boolean {
  return !queriesOf(task).some(({ asksTasks }) => asksTasks)
}

function isMember(task: Requirements): Admits | undefined {
  const queries = queriesOf(task)
  if (queries.length === 0) return undefined
  return ({ instance, attributes, groups, runningTasksCount }) =>
    instance !== undefined &&
    queries.every((query) => matches(query, { instance, attributes, groups, runningTasksCount }))
}

function isDistinct({ constraints, group }: Requirements): Admits | undefined {
  const distinct = constraints.some(({ type }) => type === 'distinctInstance')
  return distinct ? ({ groups }) => !groups.has(group) : undefined
}
