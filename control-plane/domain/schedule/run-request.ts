/** What a rule or schedule asks of Amazon ECS when it fires: a RunTask, made from its target. */
import type { NetworkConfiguration, RunTaskRequest, Tag } from '@aws-sdk/client-ecs'
import type { EcsParameters as RuleParameters } from '@aws-sdk/client-eventbridge'
import type { EcsParameters as ScheduleParameters } from '@aws-sdk/client-scheduler'
import { overridesOf } from './overrides-input.ts'

const startedByLengthMax = 36
/** How long an event is delivered late rather than not at all, where its target does not say. */
const eventAgeMsDefault = 24 * 3_600_000

/** A target of a rule and one of a schedule, as far as they are the same. */
export interface RunTarget {
  readonly Arn?: string | undefined
  readonly Input?: string | undefined
  readonly EcsParameters?: RuleParameters | ScheduleParameters | undefined
  readonly RetryPolicy?: { readonly MaximumEventAgeInSeconds?: number | undefined } | undefined
}

/** Whose behalf tasks are started on: `events-rule/NAME`. What RunTask takes in no `startedBy` becomes a hyphen. */
export function startedByOf(kind: 'events-rule' | 'chronos-schedule', name: string): string {
  return `${kind}/${name.replaceAll('.', '-')}`.slice(0, startedByLengthMax)
}

/** For how long after its time a run is made up for, in milliseconds. */
export function eventAgeMs({ RetryPolicy }: RunTarget): number {
  const seconds = RetryPolicy?.MaximumEventAgeInSeconds
  return seconds === undefined ? eventAgeMsDefault : seconds * 1000
}

/** Throws OverridesError when its input is no overrides of a task. */
export function runRequest(
  { Arn, EcsParameters, Input }: RunTarget,
  startedBy: string,
  fillIn: (input: string) => string = (input) => input,
): RunTaskRequest {
  const parameters = EcsParameters ?? { TaskDefinitionArn: undefined }
  const strategy = parameters.CapacityProviderStrategy
  const network = networkOf(parameters.NetworkConfiguration?.awsvpcConfiguration)
  const tags = parameters.Tags?.flatMap(tagsOf)
  const overrides = Input === undefined ? undefined : overridesOf(fillIn(Input))
  return {
    taskDefinition: parameters.TaskDefinitionArn,
    startedBy,
    count: parameters.TaskCount ?? 1,
    ...(Arn !== undefined && { cluster: Arn }),
    ...(parameters.LaunchType !== undefined && { launchType: parameters.LaunchType }),
    ...(strategy && { capacityProviderStrategy: strategy }),
    ...(network && { networkConfiguration: network }),
    ...(parameters.PlatformVersion !== undefined && { platformVersion: parameters.PlatformVersion }),
    ...(parameters.Group !== undefined && { group: parameters.Group }),
    ...(parameters.PlacementConstraints && { placementConstraints: parameters.PlacementConstraints }),
    ...(parameters.PlacementStrategy && { placementStrategy: parameters.PlacementStrategy }),
    ...(parameters.PropagateTags !== undefined && { propagateTags: parameters.PropagateTags }),
    ...(parameters.EnableECSManagedTags && { enableECSManagedTags: true }),
    ...(parameters.EnableExecuteCommand && { enableExecuteCommand: true }),
    ...(parameters.ReferenceId !== undefined && { referenceId: parameters.ReferenceId }),
    ...(tags && tags.length > 0 && { tags }),
    ...(overrides && { overrides }),
  }
}

type Vpc = NonNullable<RuleParameters['NetworkConfiguration']>['awsvpcConfiguration']

function networkOf(vpc: Vpc): NetworkConfiguration | undefined {
  if (!vpc) return undefined
  const { Subnets: subnets, SecurityGroups: securityGroups, AssignPublicIp: assignPublicIp } = vpc
  return {
    awsvpcConfiguration: {
      subnets,
      ...(securityGroups && { securityGroups }),
      ...(assignPublicIp && { assignPublicIp }),
    },
  }
}

/** Rules say `{Key, Value}`; schedules say maps, in which clients write `{key, value}`, or a tag as it is. */
function tagsOf(tag: object): Tag[] {
  const entries = Object.entries(tag as Readonly<Record<string, string>>)
  const named = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]))
  const key = named.get('key')
  if (key !== undefined) return [{ key, value: named.get('value') ?? '' }]
  return entries.map(([name, value]) => ({ key: name, value }))
}
