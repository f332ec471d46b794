import {
  bool,
  type Decoded,
  decode,
  type Envelope,
  list,
  type Messages,
  name,
  number,
  optional,
  record,
  text,
} from './message.ts'

/**
 * The messages of the telemetry service (TCS). The control plane sends bare envelopes; the official agent puts a
 * signed, HTTP-like header block before each of its own. Times are epoch seconds with a fraction.
 */

/** Minimum, maximum, sum and count of the samples of one period. */
export interface StatsSet {
  readonly min: number
  readonly max: number
  readonly sum: number
  readonly sampleCount: number
}

export interface NetworkStatsSet {
  /** Cumulative since the container's start. */
  readonly rxBytes?: StatsSet
  readonly rxPackets?: StatsSet
  readonly rxErrors?: StatsSet
  readonly rxDropped?: StatsSet
  readonly txBytes?: StatsSet
  readonly txPackets?: StatsSet
  readonly txErrors?: StatsSet
  readonly txDropped?: StatsSet
  readonly rxBytesPerSecond?: StatsSet
  readonly txBytesPerSecond?: StatsSet
}

export interface ContainerMetric {
  readonly containerName?: string
  readonly containerArn?: string
  /** Percent of the whole host. */
  readonly cpuStatsSet?: StatsSet
  /** MiB in use, caches left out. */
  readonly memoryStatsSet?: StatsSet
  readonly networkStatsSet?: NetworkStatsSet
  /** Bytes, cumulative. */
  readonly storageStatsSet?: { readonly readSizeBytes?: StatsSet; readonly writeSizeBytes?: StatsSet }
  readonly restartStatsSet?: { readonly restartCount: number }
}

export interface TaskMetric {
  readonly taskArn: string
  readonly clusterArn?: string
  readonly taskDefinitionFamily?: string
  readonly taskDefinitionVersion?: string
  readonly containerMetrics?: readonly ContainerMetric[]
}

interface PublishMetrics {
  readonly metadata: {
    readonly cluster?: string
    readonly containerInstance?: string
    readonly messageId?: string
    readonly idle?: boolean
    /** The last message of a round. */
    readonly fin?: boolean
  }
  readonly timestamp?: number
  readonly taskMetrics?: readonly TaskMetric[]
}

interface ContainerHealth {
  readonly containerName: string
  readonly healthStatus: 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'
  readonly statusSince?: number
  readonly statusMessage?: string
}

export interface TaskHealth {
  readonly taskArn: string
  readonly clusterArn?: string
  readonly taskDefinitionFamily?: string
  readonly taskDefinitionVersion?: string
  readonly containers?: readonly ContainerHealth[]
}

export interface PublishHealth {
  readonly metadata: {
    readonly cluster?: string
    readonly containerInstance?: string
    readonly messageId?: string
    readonly fin?: boolean
  }
  readonly timestamp?: number
  readonly tasks?: readonly TaskHealth[]
}

export interface PublishInstanceStatus {
  readonly metadata: {
    readonly cluster?: string
    readonly containerInstance?: string
    readonly requestId?: string
  }
  readonly timestamp?: number
  readonly statuses: ReadonlyArray<{
    /** `ContainerRuntime`. */
    readonly type: string
    readonly status: string
    readonly lastUpdated?: number
    readonly lastStatusChange?: number
  }>
}

/** What an agent says. */
export type TcsAgentMessage =
  | Envelope<'PublishMetricsRequest', PublishMetrics>
  | Envelope<'PublishHealthRequest', PublishHealth>
  | Envelope<'PublishInstanceStatusRequest', PublishInstanceStatus>
  | Envelope<
      'StartTelemetrySessionRequest',
      { readonly cluster?: string; readonly containerInstance?: string }
    >

type Saying<Type extends string> = Envelope<Type, { readonly message?: string }>

/** What the control plane answers. */
export type TcsServerMessage =
  | Envelope<'HeartbeatMessage', { readonly healthy: boolean }>
  | Saying<'AckPublishMetric'>
  | Saying<'AckPublishHealth'>
  | Saying<'AckPublishInstanceStatus'>
  | Saying<'StopTelemetrySessionMessage'>
  | Saying<'ServerException'>
  | Saying<'BadRequestException'>
  | Saying<'ResourceValidationException'>
  | Saying<'InvalidParameterException'>

const statsSet = record<StatsSet>({ min: number, max: number, sum: number, sampleCount: number })
const stats = optional(statsSet)

const containerMetric = record<ContainerMetric>({
  containerName: optional(text),
  containerArn: optional(text),
  cpuStatsSet: stats,
  memoryStatsSet: stats,
  networkStatsSet: optional(
    record<NetworkStatsSet>({
      rxBytes: stats,
      rxPackets: stats,
      rxErrors: stats,
      rxDropped: stats,
      txBytes: stats,
      txPackets: stats,
      txErrors: stats,
      txDropped: stats,
      rxBytesPerSecond: stats,
      txBytesPerSecond: stats,
    }),
  ),
  storageStatsSet: optional(
    record<NonNullable<ContainerMetric['storageStatsSet']>>({ readSizeBytes: stats, writeSizeBytes: stats }),
  ),
  restartStatsSet: optional(record({ restartCount: number })),
})

const taskNames = {
  taskArn: name,
  clusterArn: optional(text),
  taskDefinitionFamily: optional(text),
  taskDefinitionVersion: optional(text),
}

const health = (value: unknown, at: string): ContainerHealth['healthStatus'] => {
  const status = text(value, at)
  return status === 'HEALTHY' || status === 'UNHEALTHY' ? status : 'UNKNOWN'
}

const agentMessages: Messages<TcsAgentMessage> = {
  PublishMetricsRequest: record<PublishMetrics>({
    metadata: record<PublishMetrics['metadata']>({
      cluster: optional(text),
      containerInstance: optional(text),
      messageId: optional(text),
      idle: optional(bool),
      fin: optional(bool),
    }),
    timestamp: optional(number),
    taskMetrics: optional(
      list(record<TaskMetric>({ ...taskNames, containerMetrics: optional(list(containerMetric)) })),
    ),
  }),
  PublishHealthRequest: record<PublishHealth>({
    metadata: record<PublishHealth['metadata']>({
      cluster: optional(text),
      containerInstance: optional(text),
      messageId: optional(text),
      fin: optional(bool),
    }),
    timestamp: optional(number),
    tasks: optional(
      list(
        record<TaskHealth>({
          ...taskNames,
          containers: optional(
            list(
              record<ContainerHealth>({
                containerName: name,
                healthStatus: health,
                statusSince: optional(number),
                statusMessage: optional(text),
              }),
            ),
          ),
        }),
      ),
    ),
  }),
  PublishInstanceStatusRequest: record<PublishInstanceStatus>({
    metadata: record<PublishInstanceStatus['metadata']>({
      cluster: optional(text),
      containerInstance: optional(text),
      requestId: optional(text),
    }),
    timestamp: optional(number),
    statuses: list(
      record<PublishInstanceStatus['statuses'][number]>({
        type: text,
        status: text,
        lastUpdated: optional(number),
        lastStatusChange: optional(number),
      }),
    ),
  }),
  StartTelemetrySessionRequest: record<{ cluster?: string; containerInstance?: string }>({
    cluster: optional(text),
    containerInstance: optional(text),
  }),
}

const saying = record<{ message?: string }>({ message: optional(text) })
const serverMessages: Messages<TcsServerMessage> = {
  HeartbeatMessage: record({ healthy: bool }),
  AckPublishMetric: saying,
  AckPublishHealth: saying,
  AckPublishInstanceStatus: saying,
  StopTelemetrySessionMessage: saying,
  ServerException: saying,
  BadRequestException: saying,
  ResourceValidationException: saying,
  InvalidParameterException: saying,
}

/** The JSON of a frame, without the header block that the official agent puts before it. */
function withoutHeaders(frame: string): string {
  if (/^\s*\{/.test(frame)) return frame
  const end = /\r?\n\r?\n/.exec(frame)
  return end ? frame.slice(end.index + end[0].length) : frame
}

/**
 * Reads a frame that came from an agent, signed or bare. The signature is not checked: the upgrade of the same
 * socket was. Never throws.
 */
export function decodeTcsAgentMessage(frame: string): Decoded<TcsAgentMessage> {
  return decode(agentMessages, withoutHeaders(frame))
}

/** Reads a frame that came from the control plane. Never throws. */
export function decodeTcsServerMessage(frame: string): Decoded<TcsServerMessage> {
  return decode(serverMessages, frame)
}
