/**
 * FireLens: one container of a task, the log router, gets the logs of others. What its configuration says and how the
 * others reach it: pure. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html
 */
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/payload.ts'
import { parseDockerConfig } from './task-record.ts'

export type RouterType = 'fluentbit' | 'fluentd'

interface LogConfig {
  readonly Type?: string
  readonly Config?: Readonly<Record<string, string>>
}

const logConfigOf = (container: PayloadContainer): LogConfig =>
  (parseDockerConfig(container).hostConfig['LogConfig'] ?? {}) as LogConfig

/** The container that routes the task's logs. */
export function routerOf({ containers = [] }: Pick<PayloadTask, 'containers'>): PayloadContainer | undefined {
  return containers.find(({ firelensConfiguration }) => firelensConfiguration)
}

export function isRouted(container: PayloadContainer): boolean {
  return logConfigOf(container).Type === 'awsfirelens'
}

/** What a container's logs are tagged with at the router. */
function logTag(container: string, taskId: string): string {
  return `${container}-firelens-${taskId}`
}

/** An output of the router, for the logs of one container. */
interface Output {
  readonly container: string
  readonly options: ReadonlyArray<readonly [name: string, value: string]>
}

/** Docker's own driver's affair, not the router's. */
const driverOptions = new Set(['log-driver-buffer-limit', 'mode', 'max-buffer-size'])

/** Values that are secrets stand in the router's environment, by the names that engine/secret-values.ts gives them. */
function outputsOf(
  { containers = [] }: Pick<PayloadTask, 'containers'>,
  type: RouterType,
): readonly Output[] {
  return containers.flatMap((container, index): Output[] => {
    if (!isRouted(container)) return []
    const plain = Object.entries(logConfigOf(container).Config ?? {}).filter(
      ([name]) => !driverOptions.has(name),
    )
    const secret = (container.secrets ?? [])
      .filter(({ target }) => target === 'LOG_DRIVER')
      .map(({ name }): [string, string] => {
        const variable = `${name}_${index}`
        return [name, type === 'fluentbit' ? `\${${variable}}` : `"#{ENV['${variable}']}"`]
      })
    const options = [...plain, ...secret]
    return options.length > 0 ? [{ container: container.name, options }] : []
  })
}

export interface RouterFacts {
  readonly type: RouterType
  readonly cluster: string
  /** Of an EC2 instance. */
  readonly instanceId?: string
  /** The network mode of the task. */
  readonly bridged: boolean
  /** Where the router finds the configuration it is to take in besides. */
  readonly include?: string
}

/** The router's configuration file. */
export function routerConfiguration(task: PayloadTask, facts: RouterFacts): string {
  const outputs = outputsOf(task, facts.type)
  const options = routerOf(task)?.firelensConfiguration?.options ?? {}
  const records = options['enable-ecs-log-metadata'] === 'false' ? [] : logMetadata(task, facts)
  return facts.type === 'fluentbit' ? fluentBit(facts, records, outputs) : fluentd(facts, records, outputs)
}

function logMetadata(
  { arn, family = '', version = '' }: PayloadTask,
  { cluster, instanceId }: RouterFacts,
): ReadonlyArray<readonly [string, string]> {
  return [
    ...(instanceId === undefined ? [] : [['ec2_instance_id', instanceId] as const]),
    ['ecs_cluster', cluster],
    ['ecs_task_arn', arn],
    ['ecs_task_definition', `${family}:${version}`],
  ]
}

type Pairs = ReadonlyArray<readonly [string, string]>

const listenOn = ({ bridged }: RouterFacts): string => (bridged ? '0.0.0.0' : '127.0.0.1')

function fluentBit(facts: RouterFacts, records: Pairs, outputs: readonly Output[]): string {
  const section = (name: string, members: Pairs): string =>
    [`[${name}]`, ...members.map(([key, value]) => `    ${key} ${value}`), ''].join('\n')
  return [
    section('INPUT', [
      ['Name', 'tcp'],
      ['Listen', '127.0.0.1'],
      ['Port', '8877'],
      ['Tag', 'firelens-healthcheck'],
    ]),
    section('INPUT', [
      ['Name', 'forward'],
      ['unix_path', '/var/run/fluent.sock'],
    ]),
    section('INPUT', [
      ['Name', 'forward'],
      ['Listen', listenOn(facts)],
      ['Port', '24224'],
    ]),
    ...(records.length > 0
      ? [
          section('FILTER', [
            ['Name', 'record_modifier'],
            ['Match', '*'],
            ...records.map(([name, value]) => ['Record', `${name} ${value}`] as const),
          ]),
        ]
      : []),
    ...(facts.include === undefined ? [] : [`@INCLUDE ${facts.include}\n`]),
    section('OUTPUT', [
      ['Name', 'null'],
      ['Match', 'firelens-healthcheck'],
    ]),
    ...outputs.map(({ container, options }) =>
      section('OUTPUT', [
        ...options.filter(([name]) => name === 'Name'),
        ['Match', `${container}-firelens*`],
        ...options.filter(([name]) => name !== 'Name'),
      ]),
    ),
  ].join('\n')
}

function fluentd(facts: RouterFacts, records: Pairs, outputs: readonly Output[]): string {
  const element = (name: string, of: string, members: readonly string[]): string =>
    [`<${name}${of === '' ? '' : ` ${of}`}>`, ...members.map((line) => `    ${line}`), `</${name}>`, ''].join(
      '\n',
    )
  return [
    element('source', '', ['@type unix', 'path /var/run/fluent.sock']),
    element('source', '', ['@type forward', `bind ${listenOn(facts)}`, 'port 24224']),
    ...(records.length > 0
      ? [
          element('filter', '**', [
            '@type record_transformer',
            '<record>',
            ...records.map(([name, value]) => `    ${name} ${value}`),
            '</record>',
          ]),
        ]
      : []),
    ...(facts.include === undefined ? [] : [`@include ${facts.include}\n`]),
    ...outputs.map(({ container, options }) =>
      element(
        'match',
        `${container}-firelens**`,
        // What ECS calls Name is the plugin's type.
        options.map(([name, value]) => `${name === 'Name' ? '@type' : name} ${value}`),
      ),
    ),
  ].join('\n')
}

/** Docker's log driver for a container whose logs are routed; `socket` is the router's on the host. */
export function routedLogConfig(
  container: PayloadContainer,
  taskId: string,
  socket: string,
): { readonly Type: string; readonly Config: Readonly<Record<string, string>> } {
  const limit = logConfigOf(container).Config?.['log-driver-buffer-limit']
  return {
    Type: 'fluentd',
    Config: {
      'fluentd-address': `unix://${socket}`,
      'fluentd-async': 'true',
      'fluentd-sub-second-precision': 'true',
      ...(limit !== undefined && { 'fluentd-buffer-limit': limit }),
      tag: logTag(container.name, taskId),
    },
  }
}
