/** Inputs that operations take, in the least that they need: tests vary and decorate them. */
import type { ServiceName } from '@berth/wire/model.ts'
import { existing } from './any-input-testing.ts'
import { ecrSamples } from './samples-ecr-testing.ts'
import { ecsSamples } from './samples-ecs-testing.ts'
import { iamPrelude, iamSamples, iamTexts, stsSamples } from './samples-iam-testing.ts'
import { logsPrelude, logsSamples, logsTexts } from './samples-logs-testing.ts'
import { networkSamples } from './samples-network-testing.ts'
import {
  eventsPrelude,
  eventsSamples,
  schedulerPrelude,
  schedulerSamples,
  scheduleTexts,
} from './samples-schedules-testing.ts'
import {
  secretsmanagerPrelude,
  secretsmanagerSamples,
  secretsmanagerTexts,
  ssmPrelude,
  ssmSamples,
  ssmTexts,
} from './samples-secrets-testing.ts'

/** By operation; what is a reference names what the preludes make. */
export type Samples = Readonly<Record<string, readonly object[]>>

const ec2Samples: Samples = {
  ...networkSamples,
  RunInstances: [{ ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro', MinCount: 1, MaxCount: 2 }],
  CreateTags: [{ Resources: [existing], Tags: [{ Key: 'berth:capacity-provider', Value: 'own' }] }],
  DeleteTags: [{ Resources: [existing], Tags: [{ Key: 'berth:capacity-provider' }] }],
  DescribeInstanceAttribute: [{ InstanceId: existing, Attribute: 'userData' }],
  ...Object.fromEntries(
    ['StartInstances', 'StopInstances', 'RebootInstances', 'TerminateInstances'].map((operation) => [
      operation,
      [{ InstanceIds: [existing] }],
    ]),
  ),
}

const ec2Prelude: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateInternetGateway', {}],
  ['CreateInternetGateway', {}],
  ['AttachInternetGateway', { InternetGatewayId: existing, VpcId: existing }],
  ['CreateRouteTable', { VpcId: existing }],
  ['AssociateRouteTable', { RouteTableId: existing, SubnetId: existing }],
  ['CreateRoute', { RouteTableId: existing, DestinationCidrBlock: '0.0.0.0/0', GatewayId: existing }],
  ['CreateNetworkInterface', { SubnetId: existing }],
  ['CreateSecurityGroup', { GroupName: 'web', Description: 'of the web' }],
]

export const samples: Readonly<Record<ServiceName, Samples>> = {
  ecs: ecsSamples,
  ecr: ecrSamples,
  ec2: ec2Samples,
  iam: iamSamples,
  sts: stsSamples,
  events: eventsSamples,
  logs: logsSamples,
  scheduler: schedulerSamples,
  secretsmanager: secretsmanagerSamples,
  ssm: ssmSamples,
}

/** Texts that the members of a service's inputs might well have, by their names; of what is not here, the rows tell some. */
export const texts: Partial<Record<ServiceName, Readonly<Record<string, readonly string[]>>>> = {
  iam: iamTexts,
  sts: iamTexts,
  events: scheduleTexts,
  logs: logsTexts,
  scheduler: scheduleTexts,
  secretsmanager: secretsmanagerTexts,
  ssm: ssmTexts,
}

/** What there is beside clusters, tasks, images and instances when something has been started. */
export const begun: ReadonlyArray<readonly [service: ServiceName, operation: string, input: object]> = (
  [
    ['ec2', ec2Prelude],
    ['iam', iamPrelude],
    ['events', eventsPrelude],
    ['logs', logsPrelude],
    ['scheduler', schedulerPrelude],
    ['secretsmanager', secretsmanagerPrelude],
    ['ssm', ssmPrelude],
  ] as const
).flatMap(([service, calls]) => calls.map(([operation, input]) => [service, operation, input] as const))
