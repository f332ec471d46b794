import { encode } from '@berth/agent-protocol/message.ts'
import type { TaskMetric, TcsAgentMessage } from '@berth/agent-protocol/tcs.ts'
import { expect, test } from 'vitest'
import type { Task } from '#domain/task.ts'
import { arnOf, instanceArn, TestAgent, taskRow, testGateway } from './agent-gateway-testing.ts'

const tcsQuery = { containerInstanceArn: instanceArn, cluster: 'demo' }
const tell = async (agent: TestAgent, message: TcsAgentMessage): Promise<unknown> => {
  const said = agent.frames.length
  agent.socket.onMessage(`Host: berth\r\n\r\n${encode(message)}`)
  await expect.poll(() => agent.frames.length).toBe(said + 1)
  return JSON.parse(agent.frames.at(-1) ?? '')
}
const open = async (...tasks: readonly Task[]) => {
  const at = await testGateway(...tasks)
  const agent = new TestAgent()
  at.gateway.openTcs(tcsQuery, agent.socket)
  return { ...at, agent }
}
const metadata = { cluster: 'demo', containerInstance: instanceArn, fin: true }

test('health reaches the tasks of this instance and no others', async () => {
  const elsewhere = taskRow('b', { lastStatus: 'RUNNING', containerInstanceArn: `${instanceArn}4` })
  const at = await open(taskRow('a', { lastStatus: 'RUNNING' }), elsewhere)
  const tasks = ['a', 'b', 'c'].map((id) => ({
    taskArn: arnOf(id),
    containers: [{ containerName: 'web', healthStatus: 'HEALTHY' as const }],
  }))
  const answer = await tell(at.agent, { type: 'PublishHealthRequest', message: { metadata, tasks } })
  expect(answer).toMatchObject({ type: 'AckPublishHealth' })
  expect(at.store.find('task', arnOf('a'))?.healthStatus).toBe('HEALTHY')
  expect(at.store.find('task', arnOf('b'))).toBe(elsewhere)
})

test('the state of the runtime is written when it changes', async () => {
  const at = await open()
  const say = (status: string, lastUpdated: number): Promise<unknown> =>
    tell(at.agent, {
      type: 'PublishInstanceStatusRequest',
      message: {
        metadata,
        statuses: [{ type: 'ContainerRuntime', status, lastUpdated, lastStatusChange: 100.5 }],
      },
    })
  expect(await say('OK', 101.25)).toMatchObject({ type: 'AckPublishInstanceStatus' })
  expect(at.instance()?.runtimeHealth).toEqual({
    status: 'OK',
    lastUpdated: 101_250,
    lastStatusChange: 100_500,
  })
  const written = at.instance()
  await say('OK', 131)
  expect(at.instance()).toBe(written)
  await say('IMPAIRED', 161)
  expect(at.instance()?.runtimeHealth?.status).toBe('IMPAIRED')
  expect(at.instance()?.version).toBe(written?.version)
})

test('of metrics the latest of each task is kept for two minutes', async () => {
  const at = await open()
  const metric = (id: string, restartCount: number): TaskMetric => ({
    taskArn: arnOf(id),
    containerMetrics: [{ containerName: 'web', restartStatsSet: { restartCount } }],
  })
  const say = (...taskMetrics: readonly TaskMetric[]): Promise<unknown> =>
    tell(at.agent, { type: 'PublishMetricsRequest', message: { metadata, taskMetrics } })
  expect(await say(metric('a', 1), metric('b', 1))).toMatchObject({ type: 'AckPublishMetric' })
  at.clock.advance(100_000)
  await say(metric('a', 2))
  expect(at.metrics.all()).toEqual([metric('b', 1), metric('a', 2)])
  at.clock.advance(30_000)
  expect(at.metrics.all()).toEqual([metric('a', 2)])
})

test('a heartbeat keeps an idle connection, the newest wins, and a stop ends it', async () => {
  const at = await open()
  at.clock.advance(30_000)
  expect(at.agent.frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([
    { type: 'HeartbeatMessage', message: { healthy: true } },
  ])
  const newer = new TestAgent()
  at.gateway.openTcs(tcsQuery, newer.socket)
  expect(at.agent.closedWith).toBe(1008)
  at.gateway.close()
  expect(newer.closedWith).toBe(1001)
})
