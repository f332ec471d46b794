/** What tests of the agent gateway run on: a store with one instance, and an agent's end of a connection. */
import {
  type AcsAgentMessage,
  type AcsServerMessage,
  decodeAcsServerMessage,
} from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Task } from '#domain/task.ts'
import type { AcsQuery } from './agent-gateway-acs.ts'
import { LatestTaskMetrics } from './agent-gateway-tcs.ts'
import { AgentGateway } from './agent-gateway.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
export const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/demo'
export const instanceArn = 'arn:aws:ecs:us-east-1:000000000000:container-instance/demo/0123'

export const instanceRow: ContainerInstance = {
  ...scope,
  containerInstanceArn: instanceArn,
  clusterArn,
  external: false,
  status: 'ACTIVE',
  agentConnected: false,
  versionInfo: {},
  registeredResources: [],
  attributes: [],
  registeredAt: 0,
  version: 1,
}

export const definitionRow: TaskDefinition = {
  ...scope,
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
  family: 'web',
  revision: 1,
  status: 'ACTIVE',
  containerDefinitions: [{ name: 'web', image: 'localhost:4566/web:1', essential: true, memory: 64 }],
  volumes: [],
  placementConstraints: [],
  requiresAttributes: [],
  compatibilities: ['EC2'],
  enableFaultInjection: false,
  registeredAt: 0,
  registeredBy: 'root',
}

export const arnOf = (id: string): string => `arn:aws:ecs:us-east-1:000000000000:task/demo/${id}`

export function taskRow(id: string, changes: Partial<Task> = {}): Task {
  return {
    ...scope,
    taskArn: arnOf(id),
    clusterArn,
    taskDefinitionArn: definitionRow.taskDefinitionArn,
    containerInstanceArn: instanceArn,
    group: 'family:web',
    launchType: 'EC2',
    enableExecuteCommand: false,
    cpuArchitecture: 'x86_64',
    cpu: '0',
    memory: '64',
    demand: { cpu: 0, memoryMiB: 64, ports: [], gpu: 0 },
    overrides: {},
    desiredStatus: 'RUNNING',
    lastStatus: 'PENDING',
    containers: [
      {
        containerArn: `${arnOf(id)}/web`,
        name: 'web',
        image: 'localhost:4566/web:1',
        lastStatus: 'PENDING',
        networkBindings: [],
        healthStatus: 'UNKNOWN',
        cpu: '0',
      },
    ],
    healthStatus: 'UNKNOWN',
    connectivity: 'CONNECTED',
    createdAt: 0,
    version: 1,
    ...changes,
  }
}

export const query: AcsQuery = {
  containerInstanceArn: instanceArn,
  cluster: 'demo',
  agentVersion: '1.105.0',
  agentHash: '5c45eef5',
  dockerVersion: 'DockerVersion: 20.10.24+dfsg1',
  protocolVersion: 2,
}

export interface TestGateway extends TestContext {
  readonly gateway: AgentGateway
  readonly metrics: LatestTaskMetrics
  readonly problems: unknown[]
  readonly put: (...tasks: readonly Task[]) => void
  readonly instance: () => ContainerInstance | undefined
}

/** A gateway over a store with an instance, a task definition and the tasks given. */
export async function testGateway(...tasks: readonly Task[]): Promise<TestGateway> {
  const context = await testContext()
  const { store, clock } = context
  const put = (...rows: readonly Task[]): void =>
    store.update((tx) => {
      for (const row of rows) tx.put('task', row)
    })
  store.update((tx) => {
    tx.put('containerInstance', instanceRow)
    tx.put('taskDefinition', definitionRow)
  })
  put(...tasks)
  const metrics = new LatestTaskMetrics(clock)
  const problems: unknown[] = []
  const gateway = gatewayOn(context, metrics, problems)
  const instance = (): ContainerInstance | undefined => store.find('containerInstance', instanceArn)
  return { ...context, gateway, metrics, problems, put, instance }
}

/** Another gateway on the same store: the control plane after a restart. */
export function gatewayOn(
  context: TestContext,
  metrics: LatestTaskMetrics,
  problems: unknown[],
): AgentGateway {
  const { store, clock, ids, installation } = context
  return new AgentGateway({
    store,
    clock,
    ids,
    installation,
    metrics,
    report: (_, problem) => problems.push(problem),
  })
}

/** The agent's end of a connection, which answers nothing by itself. */
export class TestAgent {
  readonly frames: string[] = []
  closedWith: number | undefined
  readonly socket: MessageSocket = {
    send: (text) => this.frames.push(text),
    close: (code) => {
      this.closedWith = code
    },
    onMessage: () => undefined,
    onClose: () => undefined,
  }

  /** What was said to it of a type, as an agent reads it. */
  heard<Type extends AcsServerMessage['type']>(
    type: Type,
  ): Array<Extract<AcsServerMessage, { type: Type }>['message']> {
    return this.frames.flatMap((frame) => {
      const decoded = decodeAcsServerMessage(frame)
      if (decoded.kind !== 'message') throw new Error(`an agent cannot read ${frame}`)
      return decoded.message.type === type ? [decoded.message.message as never] : []
    })
  }

  say(message: AcsAgentMessage): void {
    this.socket.onMessage(encode(message))
  }

  acknowledge(messageId: string): void {
    this.say({ type: 'AckRequest', message: { cluster: 'demo', containerInstance: instanceArn, messageId } })
  }

  hangUp(): void {
    this.socket.onClose(1006, '')
  }
}

/** Connects an agent and waits until it was greeted. */
export async function connect(
  gateway: AgentGateway,
  { store }: Pick<TestContext, 'store'>,
  said: Partial<AcsQuery> = {},
): Promise<TestAgent> {
  const agent = new TestAgent()
  gateway.openAcs({ ...query, ...said }, agent.socket)
  await store.durable()
  await Promise.resolve()
  return agent
}
