import type { ContainerDefinition } from '@aws-sdk/client-ecs'

/** What the log options of a container are made of, besides its definition. */
export interface LogFacts {
  readonly region: string
  readonly taskId: string
  /** Where the host of the task reaches CloudWatch Logs. */
  readonly logsUrl: string
  /** The account's setting `defaultLogDriverMode`. */
  readonly logDriverMode: string
}

/** Drivers that send logs somewhere; only these can be kept waiting by what they send to. */
const sending: ReadonlySet<string> = new Set(['awslogs', 'fluentd', 'gelf', 'splunk', 'syslog'])

/**
 * A driver that does not wait drops what is more than so many events, whatever `max-buffer-size` says; Docker's own
 * number, 4096, is a fifth of a second of a container that prints a lot. This one is about the 10 MiB of the buffer.
 */
const bufferedEvents = '100000'

/**
 * Docker's `LogConfig`. Its awslogs driver knows a stream but no prefix, so the stream is named here,
 * `PREFIX/CONTAINER/TASK-ID`, and no CloudWatch but AWS's own, so it is told of this one unless the definition names
 * another. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
 */
export function logConfig(
  { name = '', logConfiguration }: ContainerDefinition,
  facts: LogFacts,
): { readonly Type: string; readonly Config: Readonly<Record<string, string>> } | undefined {
  if (!logConfiguration?.logDriver) return undefined
  const { logDriver, options = {} } = logConfiguration
  if (!sending.has(logDriver)) return { Type: logDriver, Config: options }
  const delivered = withMode(options, facts.logDriverMode)
  if (logDriver !== 'awslogs') return { Type: logDriver, Config: delivered }
  const { 'awslogs-stream-prefix': prefix, ...others } = delivered
  const waits = delivered['mode'] !== 'non-blocking'
  return {
    Type: logDriver,
    Config: {
      'awslogs-region': facts.region,
      'awslogs-endpoint': facts.logsUrl,
      ...(!waits && { 'awslogs-max-buffered-events': bufferedEvents }),
      ...(prefix !== undefined && { 'awslogs-stream': `${prefix}/${name}/${facts.taskId}` }),
      ...others,
    },
  }
}

/** What is not said of the mode is what the account says, and a container that does not wait has 10 MiB to fill. */
function withMode(
  options: Readonly<Record<string, string>>,
  accountMode: string,
): Readonly<Record<string, string>> {
  const mode = options['mode'] ?? accountMode
  return {
    ...(mode === 'non-blocking' && { mode, 'max-buffer-size': '10m' }),
    ...options,
  }
}

/** Who signs what the container logs: the task's execution role, or, where there is none, its instance. */
export function logsAuthStrategy(
  { logConfiguration }: ContainerDefinition,
  executionRoleArn: string | undefined,
): 'ExecutionRole' | undefined {
  return logConfiguration?.logDriver === 'awslogs' && executionRoleArn !== undefined
    ? 'ExecutionRole'
    : undefined
}
