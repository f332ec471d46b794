import { Agent, request } from 'node:http'
import { WebSocket } from 'ws'
import { startControlPlane } from '@berth/tools/control-plane.ts'
import { figure } from './figure.ts'

/**
 * Requests a second of one control plane with a journal, under --dev, from 16 connections: RunTask on an agent that only
 * acknowledges, DescribeTasks and ListTasks on what that made; with the latency at the 99th percentile.
 */
const connections = 16
const secondsEach = 4
const berth = await startControlPlane(['--dev'])
const agent = new Agent({ keepAlive: true, maxSockets: connections })
/** Under --dev any signature will do, as long as there is one. */
const signature = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0',
  'x-amz-date': '20260101T000000Z',
}

function call(operation: string, input: object): Promise<Record<string, unknown>> {
  const body = JSON.stringify(input)
  const headers = {
    ...signature,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = request(berth.url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(JSON.parse(text) as Record<string, unknown>)
        else reject(new Error(`${operation}: ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** An instance as large as tasks want, whose agent says yes to everything and runs nothing. */
async function joinAgent(): Promise<WebSocket> {
  const integer = (name: string, integerValue: number) => ({ name, type: 'INTEGER', integerValue })
  const { containerInstance } = (await call('RegisterContainerInstance', {
    cluster: 'bench',
    totalResources: [integer('CPU', 2 ** 30), integer('MEMORY', 2 ** 30)],
    attributes: [{ name: 'ecs.os-type', value: 'linux' }],
  })) as { containerInstance: { containerInstanceArn: string } }
  const { containerInstanceArn } = containerInstance
  const query = new URLSearchParams({
    clusterArn: 'bench',
    containerInstanceArn,
    agentVersion: '1.0.0',
    agentHash: '0',
  })
  const socket = new WebSocket(`${berth.url.replace('http', 'ws')}/acs/ws?${query}`, {
    headers: signature,
  })
  socket.on('message', (data: Buffer) => {
    const { type, message } = JSON.parse(data.toString()) as { type: string; message: { messageId: string } }
    const ack = { cluster: 'bench', containerInstance: containerInstanceArn, messageId: message.messageId }
    if (type === 'PayloadMessage') socket.send(JSON.stringify({ type: 'AckRequest', message: ack }))
  })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  for (;;) {
    const { containerInstances } = (await call('DescribeContainerInstances', {
      cluster: 'bench',
      containerInstances: [containerInstanceArn],
    })) as { containerInstances: Array<{ agentConnected: boolean }> }
    if (containerInstances[0]?.agentConnected) return socket
  }
}

async function measure(name: string, operation: string, input: () => object): Promise<unknown[]> {
  const latenciesMs: number[] = []
  const answers: unknown[] = []
  const end = performance.now() + secondsEach * 1000
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const started = performance.now()
      answers.push(await call(operation, input()))
      latenciesMs.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  latenciesMs.sort((a, b) => a - b)
  figure(`api.${name}`, latenciesMs.length / secondsEach, 'requests/s', { connections })
  figure(`api.${name}.p99`, latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? Number.NaN, 'ms', {
    connections,
  })
  return answers
}

try {
  await call('CreateCluster', { clusterName: 'bench' })
  await call('RegisterTaskDefinition', {
    family: 'bench',
    containerDefinitions: [{ name: 'main', image: 'busybox', memory: 16 }],
  })
  const socket = await joinAgent()
  await measure('list-clusters', 'ListClusters', () => ({}))
  const ran = await measure('run-task', 'RunTask', () => ({ cluster: 'bench', taskDefinition: 'bench' }))
  const arns = (ran as Array<{ tasks: Array<{ taskArn: string }> }>).flatMap(
    ({ tasks }) => tasks[0]?.taskArn ?? [],
  )
  let next = 0
  await measure('describe-tasks', 'DescribeTasks', () => ({
    cluster: 'bench',
    tasks: [arns[next++ % arns.length]],
  }))
  figure('api.tasks', arns.length, 'tasks in state')
  figure('api.resident', berth.residentMB(), 'MB', { tasks: arns.length })
  socket.terminate()
} finally {
  agent.destroy()
  await berth.stop()
}
