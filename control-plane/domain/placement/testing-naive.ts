// Placement as its rules are written, with no thought of speed: every question is answered by looking at all rows.
import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { HostPort } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'
import type { PlacementRequest } from './place.ts'

/** An expression of the cluster query language before it is written down. */
export type Expression =
  | { readonly not: Expression }
  | { readonly all: readonly Expression[] }
  | { readonly any: readonly Expression[] }
  | { readonly attribute: string; readonly operator: '==' | '!='; readonly value: string }
  | { readonly attribute: string; readonly exists: boolean }
  | { readonly group: string }
  | { readonly runningTasksBelow: number }

/** The expression in the words of the language, every part in parentheses. */
export function written(expression: Expression): string {
  if ('not' in expression) return `not(${written(expression.not)})`
  if ('all' in expression) return expression.all.map((one) => `(${written(one)})`).join(' and ')
  if ('any' in expression) return expression.any.map((one) => `(${written(one)})`).join(' || ')
  if ('group' in expression) return `task:group == ${expression.group}`
  if ('runningTasksBelow' in expression) return `runningTasksCount < ${expression.runningTasksBelow}`
  if ('exists' in expression)
    return `attribute:${expression.attribute} ${expression.exists ? 'exists' : '!exists'}`
  return `attribute:${expression.attribute} ${expression.operator} ${expression.value}`
}

export type NaiveRequest = Omit<PlacementRequest, 'fraction' | 'constraints'> & {
  readonly memberOf: readonly Expression[]
  readonly distinct: boolean
}

/** How far AWS asks, in its order. */
const reasons = [
  'AGENT',
  'RESOURCE:CPU',
  'RESOURCE:MEMORY',
  'RESOURCE:GPU',
  'RESOURCE:PORTS',
  'RESOURCE:ENI',
  'ATTRIBUTE',
  'LOCATION',
  'MemberOf placement constraint unsatisfied',
  'DistinctInstance placement constraint unsatisfied',
]

export class NaiveCluster {
  instances: ContainerInstance[] = []
  /** None of them STOPPED. */
  tasks: Task[] = []

  /** Why the instance does not take the task. */
  reason(instance: ContainerInstance, request: NaiveRequest): string | undefined {
    return reasons.find((reason) => this.#fails(reason, instance, request))
  }

  candidates({ capacityProviderName: wanted, launchType }: NaiveRequest): ContainerInstance[] {
    return this.instances.filter(
      ({ status, external, capacityProviderName, managed = false }) =>
        status === 'ACTIVE' &&
        external === (launchType === 'EXTERNAL') &&
        (wanted === undefined ? !managed : capacityProviderName === wanted),
    )
  }

  /** The instances among which chance decides. */
  best(request: NaiveRequest): string[] {
    let left = this.candidates(request).filter((instance) => this.reason(instance, request) === undefined)
    for (const strategy of request.strategies) {
      if (strategy.type === 'random') break
      const scores = left.map((instance) => this.#score(instance, strategy, request.group))
      left = left.filter((_, index) => scores[index] === Math.min(...scores))
    }
    return left.map(({ containerInstanceArn }) => containerInstanceArn)
  }

  /** The failures of which the instance met most requirements. */
  closest(request: NaiveRequest): string[] {
    const refused = this.candidates(request).map((instance) => ({
      arn: instance.containerInstanceArn,
      rank: reasons.indexOf(this.reason(instance, request) ?? ''),
    }))
    const most = Math.max(...refused.map(({ rank }) => rank))
    return refused.filter(({ rank }) => rank === most).map(({ arn }) => arn)
  }

  #fails(reason: string, instance: ContainerInstance, request: NaiveRequest): boolean {
    const { demand, requiresAttributes, group, zones } = request
    const { cpu, memoryMiB, gpu, eni = 0 } = demand
    switch (reason) {
      case 'AGENT':
        return !instance.agentConnected
      case 'RESOURCE:CPU':
        return cpu > 0 && cpu > this.#free(instance, 'CPU')
      case 'RESOURCE:MEMORY':
        return memoryMiB > 0 && memoryMiB > this.#free(instance, 'MEMORY')
      case 'RESOURCE:GPU':
        return gpu > 0 && gpu > this.#free(instance, 'GPU')
      case 'RESOURCE:PORTS':
        return this.#portsFail(instance, demand.ports)
      case 'RESOURCE:ENI':
        return eni > 0 && has(instance, 'ENI') !== undefined && eni > this.#free(instance, 'ENI')
      case 'ATTRIBUTE':
        return requiresAttributes.some(({ name, value }) => {
          const found = valueOf(instance, name)
          return found === undefined || (value !== undefined && value !== found)
        })
      case 'LOCATION':
        return zones !== undefined && !zones.includes(valueOf(instance, 'ecs.availability-zone') ?? '')
      case 'MemberOf placement constraint unsatisfied':
        return !request.memberOf.every((expression) => this.#holds(expression, instance))
      default:
        return request.distinct && this.#inGroup(instance, group) > 0
    }
  }

  #on(instance: ContainerInstance): Task[] {
    return this.tasks.filter((task) => task.containerInstanceArn === instance.containerInstanceArn)
  }

  #free(instance: ContainerInstance, name: 'CPU' | 'MEMORY' | 'GPU' | 'ENI'): number {
    const taken = this.#on(instance).map(
      ({ demand }) =>
        ({ CPU: demand.cpu, MEMORY: demand.memoryMiB, GPU: demand.gpu, ENI: demand.eni ?? 0 })[name],
    )
    return (has(instance, name) ?? 0) - taken.reduce((sum, one) => sum + one, 0)
  }

  #portsFail(instance: ContainerInstance, wanted: readonly HostPort[]): boolean {
    return (['tcp', 'udp'] as const).some((protocol) => {
      const name = protocol === 'tcp' ? 'PORTS' : 'PORTS_UDP'
      const registered = instance.registeredResources.find((one) => one.name === name)?.stringSetValue ?? []
      const held = this.#on(instance).flatMap(({ demand }) => demand.ports)
      const used = new Set([
        ...registered.map(Number),
        ...held.filter((one) => one.protocol === protocol).map(({ port }) => port),
      ])
      const asked = wanted.filter((one) => one.protocol === protocol).map(({ port }) => port)
      return asked.some((port) => used.has(port)) || (asked.length > 0 && used.size + asked.length > 100)
    })
  }

  #inGroup(instance: ContainerInstance, group: string): number {
    return this.#on(instance).filter((task) => task.group === group && task.desiredStatus === 'RUNNING')
      .length
  }

  #score(instance: ContainerInstance, { type, field = '' }: PlacementStrategy, group: string): number {
    if (type === 'binpack') return this.#free(instance, field.toUpperCase() === 'CPU' ? 'CPU' : 'MEMORY')
    if (!field.startsWith('attribute:')) return this.#inGroup(instance, group)
    const name = field.slice('attribute:'.length)
    return this.instances
      .filter((other) => valueOf(other, name) === valueOf(instance, name))
      .reduce((count, other) => count + this.#inGroup(other, group), 0)
  }

  #holds(expression: Expression, instance: ContainerInstance): boolean {
    if ('not' in expression) return !this.#holds(expression.not, instance)
    if ('all' in expression) return expression.all.every((one) => this.#holds(one, instance))
    if ('any' in expression) return expression.any.some((one) => this.#holds(one, instance))
    if ('group' in expression) return this.#inGroup(instance, expression.group) > 0
    if ('runningTasksBelow' in expression) {
      const running = this.#on(instance).filter(({ lastStatus }) => lastStatus === 'RUNNING').length
      return running < expression.runningTasksBelow
    }
    const found = valueOf(instance, expression.attribute)
    if ('exists' in expression) return (found !== undefined) === expression.exists
    return (found === expression.value) === (expression.operator === '==')
  }
}

function has(instance: ContainerInstance, name: string): number | undefined {
  const resource = instance.registeredResources.find((one) => one.name === name)
  return name === 'GPU' ? (resource?.stringSetValue?.length ?? 0) : resource?.integerValue
}

function valueOf(instance: ContainerInstance, name: string): string | undefined {
  const found = instance.attributes.find((one) => one.name === name)
  return found && (found.value ?? '')
}
