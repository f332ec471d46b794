import { reservedPortsMax, type Requirements } from './admission.ts'
import type { Free, InstanceLoad } from './instance-load.ts'
import { matches, parseQuery } from './query.ts'

/** What an instance lacks for a task. */
export interface Shortcoming {
  /** For a person, without the name of the instance: `needs 512 CPU units, 128 of 1024 are free`. */
  readonly detail: string
  /** How much it lacks, as a share of what is needed; 0 where that is not a number. */
  readonly short: number
  readonly resource?: string
  readonly needed?: number
  readonly free?: number
}

const resources: Readonly<Record<string, readonly [kind: keyof Free, resource: string, unit: string]>> = {
  'RESOURCE:CPU': ['cpu', 'CPU', 'CPU units'],
  'RESOURCE:MEMORY': ['memory', 'MEMORY', 'MiB of memory'],
  'RESOURCE:GPU': ['gpu', 'GPU', 'GPUs'],
  'RESOURCE:ENI': ['eni', 'ENI', 'network interfaces'],
}

/** What of a requirement the instance did not meet; `reason` is the one that it was refused for. */
export function shortcomingOf(reason: string, load: InstanceLoad, task: Requirements): Shortcoming {
  const row = resources[reason]
  if (row) return resourceShort(load, task, row)
  return { detail: detailOf(reason, load, task), short: 0 }
}

function resourceShort(
  load: InstanceLoad,
  { demand }: Requirements,
  [kind, resource, unit]: readonly [keyof Free, string, string],
): Shortcoming {
  const needed = { cpu: demand.cpu, memory: demand.memoryMiB, gpu: demand.gpu, eni: demand.eni ?? 0 }[kind]
  const free = Math.max(0, load.free[kind])
  const detail = `needs ${needed} ${unit}, ${free} of ${load.registered[kind]} are free`
  return { detail, short: (needed - free) / needed, resource, needed, free }
}

function detailOf(reason: string, load: InstanceLoad, task: Requirements): string {
  switch (reason) {
    case 'AGENT':
      return 'its agent is not connected'
    case 'RESOURCE:PORTS':
      return portsText(load, task)
    case 'ATTRIBUTE':
      return attributesText(load, task)
    case 'LOCATION':
      return `is in ${load.attributes.get('ecs.availability-zone') ?? 'no availability zone'}, the subnets are in ${(task.zones ?? []).join(', ')}`
    case 'MemberOf placement constraint unsatisfied':
      return `not true of it: ${unmet(load, task).join('; ')}`
    case 'DistinctInstance placement constraint unsatisfied':
      return `already has a task of the group ${task.group}`
    default:
      return reason
  }
}

function portsText(load: InstanceLoad, { demand }: Requirements): string {
  const taken = demand.ports.filter((port) => !load.isFree(port))
  if (taken.length > 0)
    return `already in use: ${taken.map(({ protocol, port }) => `${port}/${protocol}`).join(', ')}`
  return `has ${load.usedPortsCount('tcp')} TCP and ${load.usedPortsCount('udp')} UDP ports reserved, of ${reservedPortsMax} each`
}

function attributesText({ attributes }: InstanceLoad, { requiresAttributes }: Requirements): string {
  return requiresAttributes
    .filter(
      ({ name, value }) => !attributes.has(name) || (value ?? attributes.get(name)) !== attributes.get(name),
    )
    .map(({ name, value }) => {
      const found = attributes.get(name)
      if (found === undefined) return `lacks ${name}${value === undefined ? '' : ` = ${value}`}`
      return `has ${name} = ${found}, not ${value}`
    })
    .join('; ')
}

/** What `and` joins in the expressions, as far as it is not true. */
function unmet(load: InstanceLoad, { constraints }: Requirements): string[] {
  const { instance, attributes, groups, runningTasksCount } = load
  if (!instance) return []
  return constraints
    .filter(({ type }) => type === 'memberOf')
    .flatMap(({ expression = '' }) => parseQuery(expression).terms)
    .filter((term) => !matches(term, { instance, attributes, groups, runningTasksCount }))
    .map(({ text }) => text)
}
