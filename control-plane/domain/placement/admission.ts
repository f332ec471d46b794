import type { PlacementConstraint } from '@aws-sdk/client-ecs'
import type { Demand, HostPort } from '#domain/resources.ts'
import type { InstanceLoad } from './instance-load.ts'
import { matches, parseQuery } from './query.ts'

/** What an instance must have and be for a task. */
export interface Requirements {
  readonly demand: Demand
  /** `service:NAME`, `family:NAME` or the caller's word: its tasks count for spread and distinctInstance. */
  readonly group: string
  /** EC2 takes every instance that is not external, EXTERNAL the external ones. */
  readonly launchType: 'EC2' | 'EXTERNAL'
  readonly requiresAttributes: ReadonlyArray<{ readonly name: string; readonly value?: string }>
  /** Those of the task definition and of the request together. */
  readonly constraints: readonly PlacementConstraint[]
}

/** AWS keeps at most so many ports of an instance reserved, its own defaults included. */
const reservedPortsMax = 100

/** Whether an instance is asked at all; one that is not does not appear among the failures. */
export function isCandidate({ instance }: InstanceLoad, launchType: 'EC2' | 'EXTERNAL'): boolean {
  return instance?.status === 'ACTIVE' && instance.external === (launchType === 'EXTERNAL')
}

type Admits = (load: InstanceLoad) => boolean

/** One row a requirement, in the order asked; the first that refuses gives the reason a client is shown. */
const requirements: ReadonlyArray<{
  readonly reason: string
  /** What is asked of each instance; undefined when the task asks nothing of the kind. */
  readonly rule: (task: Requirements) => Admits | undefined
}> = [
  { reason: 'AGENT', rule: () => (load) => load.instance?.agentConnected === true },
  { reason: 'RESOURCE:CPU', rule: ({ demand }) => atLeast(demand.cpu, (load) => load.free.cpu) },
  { reason: 'RESOURCE:MEMORY', rule: ({ demand }) => atLeast(demand.memoryMiB, (load) => load.free.memory) },
  { reason: 'RESOURCE:GPU', rule: ({ demand }) => atLeast(demand.gpu, (load) => load.free.gpu) },
  {
    reason: 'RESOURCE:PORTS',
    rule: ({ demand }) => (demand.ports.length > 0 ? portsFree(demand.ports) : undefined),
  },
  { reason: 'ATTRIBUTE', rule: hasAttributes },
  { reason: 'MemberOf placement constraint unsatisfied', rule: isMember },
  { reason: 'DistinctInstance placement constraint unsatisfied', rule: isDistinct },
]

/** How many requirements an instance refused for that reason had met. */
export function refusalRank(reason: string): number {
  return requirements.findIndex((row) => row.reason === reason)
}

/**
 * Gives for each instance the reason why the task cannot run there, or undefined. The instance's status and launch
 * type are not asked. Throws QueryError when an expression does not parse.
 */
export function refusalOf(task: Requirements): (load: InstanceLoad) => string | undefined {
  const rules = requirements.flatMap(({ reason, rule }) => {
    const admits = rule(task)
    return admits ? [{ reason, admits }] : []
  })
  return (load) => {
    for (const { reason, admits } of rules) if (!admits(load)) return reason
    return undefined
  }
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

function isMember({ constraints }: Requirements): Admits | undefined {
  const queries = constraints
    .filter(({ type }) => type === 'memberOf')
    .map(({ expression }) => parseQuery(expression ?? ''))
  if (queries.length === 0) return undefined
  return ({ instance, attributes, groups, runningTasksCount }) =>
    instance !== undefined &&
    queries.every((query) => matches(query, { instance, attributes, groups, runningTasksCount }))
}

function isDistinct({ constraints, group }: Requirements): Admits | undefined {
  const distinct = constraints.some(({ type }) => type === 'distinctInstance')
  return distinct ? ({ groups }) => !groups.has(group) : undefined
}
