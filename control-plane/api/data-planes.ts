import type {
  CompleteLayerUploadRequest,
  CompleteLayerUploadResponse,
  InitiateLayerUploadRequest,
  InitiateLayerUploadResponse,
  UploadLayerPartRequest,
  UploadLayerPartResponse,
} from '@aws-sdk/client-ecr'
import type { GetConsoleOutputCommandInput, GetConsoleOutputCommandOutput } from '@aws-sdk/client-ec2'
import type { Session } from '@aws-sdk/client-ecs'
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import type { Answer, Context } from './operation.ts'

/** A command to run in a container, as the agent is told of it. */
export interface SessionCommand {
  readonly containerInstanceArn: string
  readonly taskArn: string
  readonly containerName: string
  readonly command: string
  /** The log group that keeps what the session prints, as the agent reaches it. */
  readonly log?: { readonly logGroupName: string; readonly region: string; readonly endpoint: string }
}

/**
 * What reads and writes bytes that are not rows, and so may wait. This file is the one place on this floor that knows
 * promises; adapters implement it.
 */
export interface DataPlanes {
  readonly layers: {
    initiateLayerUpload(
      context: Context,
      input: InitiateLayerUploadRequest,
    ): Promise<InitiateLayerUploadResponse>
    uploadLayerPart(context: Context, input: UploadLayerPartRequest): Promise<UploadLayerPartResponse>
    completeLayerUpload(
      context: Context,
      input: CompleteLayerUploadRequest,
    ): Promise<CompleteLayerUploadResponse>
  }
  /** Sessions of ECS Exec, which live in memory: nothing of them is worth keeping over a restart. */
  readonly commands: {
    /** A session whose client may connect; undefined when the agent cannot be told of it now. */
    openSession(command: SessionCommand): Session | undefined
    /** The token with which a client that was cut off comes back; undefined when its session is over. */
    resumeSession(accountId: string, sessionId: string): string | undefined
    terminateSession(accountId: string, sessionId: string): void
  }
  readonly consoles: {
    getConsoleOutput(
      context: Context,
      input: GetConsoleOutputCommandInput,
    ): Promise<Answer<GetConsoleOutputCommandOutput>>
  }
  /** Streams of logs and their events. */
  readonly logs: {
    createLogStream(context: Context, input: Logs.CreateLogStreamRequest): Promise<object>
    deleteLogGroup(context: Context, input: Logs.DeleteLogGroupRequest): Promise<object>
    deleteLogStream(context: Context, input: Logs.DeleteLogStreamRequest): Promise<object>
    describeLogGroups(
      context: Context,
      input: Logs.DescribeLogGroupsRequest,
    ): Promise<Logs.DescribeLogGroupsResponse>
    describeLogStreams(
      context: Context,
      input: Logs.DescribeLogStreamsRequest,
    ): Promise<Logs.DescribeLogStreamsResponse>
    filterLogEvents(
      context: Context,
      input: Logs.FilterLogEventsRequest,
    ): Promise<Logs.FilterLogEventsResponse>
    getLogEvents(context: Context, input: Logs.GetLogEventsRequest): Promise<Logs.GetLogEventsResponse>
    putLogEvents(context: Context, input: Logs.PutLogEventsRequest): Promise<Logs.PutLogEventsResponse>
    startLiveTail(context: Context, input: Logs.StartLiveTailRequest): Promise<Logs.StartLiveTailResponse>
  }
}
