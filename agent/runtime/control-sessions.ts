import type { AcsAgentMessage } from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import { Backoff } from '#engine/backoff.ts'
import type { Commands } from './commands.ts'
import { type EndpointCache, websocketUrl } from './endpoints.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import { keepSession } from './session.ts'
import type { Telemetry } from './telemetry.ts'
import type { Timers } from './timers.ts'

export interface ControlSessions {
  readonly dependencies: AgentDependencies
  readonly config: AgentConfig
  readonly timers: Timers
  readonly endpoints: EndpointCache
  readonly commands: Commands
  readonly telemetry: Telemetry
  readonly cluster: string
  readonly containerInstanceArn: string
  readonly dockerVersion: string
  readonly executesCommands: boolean
  /** What is asked at the start of each connection, if anything. */
  readonly question: () => AcsAgentMessage | undefined
}

/** Opens both websockets to the control plane and keeps them until the agent ends. Their queries are the official agent's. */
export function openSessions({
  dependencies,
  config,
  timers,
  endpoints,
  commands,
  telemetry,
  cluster,
  containerInstanceArn,
  dockerVersion,
  executesCommands,
  question,
}: ControlSessions): void {
  const { agentHash, agentVersion } = config
  const { connect, log, ids } = dependencies
  const fraction = (): number => ids.fraction()
  let sendCredentials = true
  const shared = { timers: timers, fraction, log }
  void keepSession({
    ...shared,
    name: 'ACS',
    backoff: new Backoff({ firstMs: 250, factor: 1.5, maxMs: 120_000, jitter: 0.2 }, fraction),
    connect: async () =>
      connect(websocketUrl((await endpoints.get()).acs), {
        agentHash,
        agentVersion,
        clusterArn: cluster,
        containerInstanceArn,
        dockerVersion: `DockerVersion: ${dockerVersion}`,
        protocolVersion: '2',
        sendCredentials: String(sendCredentials),
        seqNum: '1',
        ...(executesCommands && { executesCommands: 'true' }),
      }),
    onConnected: (socket) => {
      sendCredentials = false
      const asked = question()
      if (asked) socket.send(encode(asked))
      return undefined
    },
    onMessage: (socket, text) => commands.handle(socket, text),
    onInactive: () => log('warn', 'this container instance was deregistered'),
  })
  void keepSession({
    ...shared,
    name: 'TCS',
    backoff: new Backoff({ firstMs: 1000, factor: 2, maxMs: 60_000, jitter: 0.2 }, fraction),
    connect: async () => {
      const { tcs } = await endpoints.get()
      if (tcs === undefined) throw new Error('the control plane has no telemetry endpoint')
      return connect(websocketUrl(tcs), {
        agentHash,
        agentVersion,
        cluster,
        containerInstance: containerInstanceArn,
        dockerVersion: dockerVersion,
      })
    },
    onConnected: (socket) => telemetry.attach(socket),
    onMessage: () => undefined,
    onInactive: () => undefined,
  })
}
