import type { ExecuteCommandMessage } from '@berth/agent-protocol/acs.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import type { TaskRecord } from '#engine/task-record.ts'
import { ExecSessions } from './exec.ts'
import type { AgentDependencies } from './ports.ts'

const message: ExecuteCommandMessage = {
  messageId: 'm',
  clusterArn: 'c',
  containerInstanceArn: 'i',
  taskArn: 'task',
  containerName: 'web',
  command: 'sh',
  sessionId: 'session',
  tokenValue: 'token',
}
const managedAgents = [{ name: 'ExecuteCommandAgent' }]
const record = (state: string, more: object = { managedAgents }): TaskRecord =>
  ({
    task: { containers: [{ name: 'web', ...more }] },
    containers: [{ name: 'web', state, runtimeId: 'docker', metadataId: 'id' }],
  }) as unknown as TaskRecord

/** Sessions over sockets that keep what was sent in text, and the addresses they were opened at. */
function sessions(found: TaskRecord | undefined) {
  const texts: Array<Readonly<Record<string, unknown>>> = []
  const dialed: unknown[] = []
  const logged: string[] = []
  const dependencies = {
    clock: { now: () => 0, at: () => () => undefined },
    ids: idsFrom(prng(1)),
    log: (_level: string, text: string) => logged.push(text),
  } as unknown as AgentDependencies
  const opened = new ExecSessions(
    dependencies,
    {
      start: () => new Promise(() => undefined),
      connect: (url, query) => {
        dialed.push([url, query])
        if (url.includes('broken')) return Promise.reject(new Error('no way there'))
        return Promise.resolve({
          send: (data) =>
            typeof data === 'string'
              ? void texts.push(JSON.parse(data) as (typeof texts)[number])
              : undefined,
          close: () => undefined,
          onMessage: () => undefined,
          onClose: () => undefined,
        })
      },
    },
    () => found,
  )
  const endpoints = { get: () => Promise.resolve({ acs: 'http://control:4566/acs', tcs: undefined }) }
  return { opened, endpoints, texts, dialed, logged }
}

test('a session is opened at the control plane that asked, once, and ends with the agent', async () => {
  const { opened, endpoints, texts, dialed } = sessions(record('RUNNING'))
  await opened.run(message, endpoints)
  await opened.run(message, endpoints)
  expect(dialed).toEqual([['ws://control:4566/v1/data-channel/session', { role: 'agent' }]])
  expect(texts).toEqual([expect.objectContaining({ TokenValue: 'token' })])
  expect(opened.size).toBe(1)
  opened.end('The agent is stopping.')
  expect(texts.at(-1)).toEqual({ Output: 'The agent is stopping.' })
  expect(opened.size).toBe(0)
})

test.each<[TaskRecord | undefined, string]>([
  [undefined, 'The task is not on this container instance.'],
  [record('STOPPED'), 'The container is not running.'],
  [record('RUNNING', {}), 'The task was run without execute command.'],
])('what cannot be run is told to the client: %#', async (found, words) => {
  const { opened, endpoints, texts } = sessions(found)
  await opened.run(message, endpoints)
  expect(texts.at(-1)).toEqual({ Output: words })
  expect(opened.size).toBe(0)
})

test('a control plane that cannot be reached costs the session only', async () => {
  const { opened, endpoints, logged } = sessions(record('RUNNING'))
  await opened.run({ ...message, sessionId: 'broken' }, endpoints)
  expect(logged).toEqual(['session of ECS Exec not opened'])
  expect(opened.size).toBe(0)
})
