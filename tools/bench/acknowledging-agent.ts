import { WebSocket } from 'ws'
import type { Signer } from './signer.ts'

interface Joining {
  readonly url: string
  readonly cluster: string
  readonly signer: Signer
  readonly call: (operation: string, input: object) => Promise<unknown>
}

/** Joins an instance as large as tasks want, whose agent says yes to everything and runs nothing. */
export async function joinAcknowledgingAgent({ url, cluster, signer, call }: Joining): Promise<WebSocket> {
  const integer = (name: string, integerValue: number) => ({ name, type: 'INTEGER', integerValue })
  const { containerInstance } = (await call('RegisterContainerInstance', {
    cluster,
    totalResources: [integer('CPU', 2 ** 30), integer('MEMORY', 2 ** 30)],
    attributes: [{ name: 'ecs.os-type', value: 'linux' }],
  })) as { containerInstance: { containerInstanceArn: string } }
  const { containerInstanceArn } = containerInstance
  const query = { clusterArn: cluster, containerInstanceArn, agentVersion: '1.0.0', agentHash: '0' }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/acs/ws?${new URLSearchParams(query)}`, {
    headers: await signer.upgrade('/acs/ws', query),
  })
  socket.on('message', (data: Buffer) => {
    const { type, message } = JSON.parse(data.toString()) as { type: string; message: { messageId: string } }
    const ack = { cluster, containerInstance: containerInstanceArn, messageId: message.messageId }
    if (type === 'PayloadMessage') socket.send(JSON.stringify({ type: 'AckRequest', message: ack }))
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  for (;;) {
    const { containerInstances } = (await call('DescribeContainerInstances', {
      cluster,
      containerInstances: [containerInstanceArn],
    })) as { containerInstances: ReadonlyArray<{ agentConnected: boolean }> }
    if (containerInstances[0]?.agentConnected) return socket
  }
}
