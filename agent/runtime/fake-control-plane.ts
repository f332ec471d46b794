import type {
  CreateClusterResponse,
  DiscoverPollEndpointResponse,
  RegisterContainerInstanceResponse,
  SubmitTaskStateChangeRequest,
  SubmitTaskStateChangeResponse,
} from '@aws-sdk/client-ecs'
import type { AcsAgentMessage, AcsServerMessage, PayloadTask } from '@berth/agent-protocol/acs.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { TcsAgentMessage } from '@berth/agent-protocol/tcs.ts'
import { present } from '@berth/std/assert.ts'
import type { EcsApi, RegistrationRequest } from './ports.ts'

const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/proof'
export const instanceArn = 'arn:aws:ecs:us-east-1:000000000000:container-instance/proof/1111'

/** Just enough of a control plane to hold an agent against: it remembers what it was told and says what it is asked to. */
export class FakeControlPlane implements EcsApi {
  readonly registrations: RegistrationRequest[] = []
  /** All but those that told nothing but digests. */
  readonly submissions: SubmitTaskStateChangeRequest[] = []
  readonly digests: SubmitTaskStateChangeRequest[] = []
  readonly acsMessages: AcsAgentMessage[] = []
  readonly tcsMessages: TcsAgentMessage[] = []
  readonly connections: Array<{ readonly url: string; readonly query: Readonly<Record<string, string>> }> = []
  /** Each is thrown by the next submission, or upgrade, in turn. */
  readonly submissionErrors: Error[] = []
  readonly connectErrors: Error[] = []
  #sequence = 0
  #away = false
  #acs: MessageSocket | undefined
  #tcs: MessageSocket | undefined

  async registerContainerInstance(input: RegistrationRequest): Promise<RegisterContainerInstanceResponse> {
    this.registrations.push(input)
    return { containerInstance: { containerInstanceArn: instanceArn, attributes: input.attributes ?? [] } }
  }

  async createCluster(): Promise<CreateClusterResponse> {
    return { cluster: { clusterName: 'default' } }
  }

  async discoverPollEndpoint(): Promise<DiscoverPollEndpointResponse> {
    return { endpoint: 'http://control.test/acs/', telemetryEndpoint: 'http://control.test/tcs/' }
  }

  async submitTaskStateChange(input: SubmitTaskStateChangeRequest): Promise<SubmitTaskStateChangeResponse> {
    if (this.#away) throw new Error('connect ECONNREFUSED')
    const error = this.submissionErrors.shift()
    if (error) throw error
    if (input.status === 'PENDING') this.digests.push(input)
    else this.submissions.push(input)
    return { acknowledgment: 'ok' }
  }

  readonly connect = async (url: string, query: Readonly<Record<string, string>>): Promise<MessageSocket> => {
    if (this.#away) throw new Error('connect ECONNREFUSED')
    this.connections.push({ url, query })
    const error = this.connectErrors.shift()
    if (error) throw error
    const isAcs = url.includes('/acs/')
    const socket: MessageSocket = {
      send: (text) => {
        if (isAcs) this.acsMessages.push(JSON.parse(text) as AcsAgentMessage)
        else this.tcsMessages.push(JSON.parse(text) as TcsAgentMessage)
      },
      close: (code, reason) => socket.onClose(code, reason),
      onMessage: () => undefined,
      onClose: () => undefined,
    }
    if (isAcs) this.#acs = socket
    else this.#tcs = socket
    return socket
  }

  /** @throws without an agent to hear it */
  say(message: AcsServerMessage): void {
    present(this.#acs, 'an agent is connected').onMessage(JSON.stringify(message))
  }

  /** Sends tasks in one payload. */
  send(...tasks: readonly PayloadTask[]): string {
    const seqNum = ++this.#sequence
    const messageId = `payload-${seqNum}`
    this.say({
      type: 'PayloadMessage',
      message: { messageId, clusterArn, containerInstanceArn: instanceArn, seqNum, generatedAt: 0, tasks },
    })
    return messageId
  }

  manifest(timeline: number, running: readonly string[]): void {
    this.say({
      type: 'TaskManifestMessage',
      message: {
        messageId: `manifest-${timeline}`,
        clusterArn,
        containerInstanceArn: instanceArn,
        generatedAt: 0,
        timeline,
        tasks: running.map((taskArn) => ({ taskArn, taskClusterArn: clusterArn, desiredStatus: 'RUNNING' })),
      },
    })
  }

  hangUp(code: number): void {
    this.#acs?.onClose(code, '')
    this.#tcs?.onClose(code, '')
  }

  /** Nothing reaches it from now on. */
  goAway(): void {
    this.#away = true
    this.hangUp(1006)
  }

  comeBack(): void {
    this.#away = false
  }

  acknowledged(messageId: string): boolean {
    return this.acsMessages.some(
      ({ type, message }) => type === 'AckRequest' && message.messageId === messageId,
    )
  }

  /** `RUNNING web RUNNING`, one a submission of a task. */
  told(taskArn: string): readonly string[] {
    return this.submissions
      .filter(({ task }) => task === taskArn)
      .map(({ status, containers }) =>
        [
          status,
          ...(containers ?? []).map(({ containerName, status: reached, exitCode }) =>
            [containerName, reached, exitCode].filter((part) => part !== undefined).join(' '),
          ),
        ].join(' | '),
      )
  }
}

/** A container of a task's payload with nothing special about it. */
export function fakeContainer(
  name: string,
  more: Partial<NonNullable<PayloadTask['containers']>[number]> = {},
): NonNullable<PayloadTask['containers']>[number] {
  return {
    name,
    image: 'web:1',
    essential: true,
    cpu: 64,
    memory: 64,
    environment: {},
    portMappings: [],
    volumesFrom: [],
    mountPoints: [],
    overrides: '{}',
    dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
    ...more,
  }
}

export function fakeTask(
  id: string,
  containers: NonNullable<PayloadTask['containers']> = [fakeContainer('web')],
  more: Partial<PayloadTask> = {},
): PayloadTask {
  return {
    arn: `arn:aws:ecs:us-east-1:000000000000:task/proof/${id}`,
    desiredStatus: 'RUNNING',
    family: 'proof',
    version: '1',
    taskClusterArn: clusterArn,
    containers,
    volumes: [],
    ...more,
  }
}
