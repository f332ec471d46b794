/** What of the parameters of EventBridge and of its Scheduler is not simply honoured, for docs/compatibility.md. */
import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const events = exceptionsOf('events')
const scheduler = exceptionsOf('scheduler')

/** Of a target of either service, by its path. */
function ofTarget(
  of: ReturnType<typeof exceptionsOf>,
  operation: string,
  target: string,
  otherKinds: readonly string[],
): readonly ParameterException[] {
  return [
    of(operation, `${target}.Arn`, 'clusters of Amazon ECS', 'partly'),
    of(operation, `${target}.RoleArn`, 'kept; tasks are started without asking what the role may'),
    of(operation, `${target}.RetryPolicy.MaximumRetryAttempts`, 'nothing is tried again'),
    of(operation, `${target}.DeadLetterConfig`, 'no queues; what could not be started is logged', 'rejected'),
    of(operation, `${target}.EcsParameters.ReferenceId`, 'not shown by a task, as at AWS'),
    ...otherKinds.map((kind) =>
      of(operation, `${target}.${kind}`, 'for targets of other services', 'rejected'),
    ),
  ]
}

export const scheduleParameters: readonly ParameterException[] = [
  events('PutRule', 'EventPattern', 'no events yet, only schedules', 'rejected'),
  events('PutRule', 'RoleArn', 'for targets on event buses of other accounts, which are not there'),
  events('PutRule', 'State', 'ENABLED and DISABLED; there is no CloudTrail', 'partly'),
  ...ofTarget(events, 'PutTargets', 'Targets[]', [
    'KinesisParameters',
    'RunCommandParameters',
    'BatchParameters',
    'HttpParameters',
    'RedshiftDataParameters',
    'SageMakerPipelineParameters',
    'AppSyncParameters',
  ]),
  events('PutTargets', 'Targets[].SqsParameters', 'for targets of other services'),
  events('PutTargets', 'Targets[].InputPath', 'no input is made from events yet', 'rejected'),
  events('PutTargets', 'Targets[].InputTransformer', 'no input is made from events yet', 'rejected'),
  ...['DeleteRule', 'RemoveTargets'].map((operation) =>
    events(operation, 'Force', 'no rule is managed by a service', 'ignored'),
  ),
  ...['CreateSchedule', 'UpdateSchedule'].flatMap((operation) => [
    ...ofTarget(scheduler, operation, 'Target', [
      'EventBridgeParameters',
      'EventBridgePutEventsV2Parameters',
      'EventBridgePutRawEventsParameters',
      'KinesisParameters',
      'SageMakerPipelineParameters',
      'SqsParameters',
    ]),
    scheduler(operation, 'KmsKeyArn', 'nothing is encrypted with a key of yours'),
  ]),
  ...['UpdateSchedule', 'DeleteSchedule', 'DeleteScheduleGroup'].map((operation) =>
    scheduler(operation, 'ClientToken', 'checked; to be asked twice does no harm', 'ignored'),
  ),
]
