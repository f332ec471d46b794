import { expect, test } from 'vitest'
import { observeManagedAgents } from './managed-agent.ts'
import type { Task, TaskContainer } from './task.ts'

const task = {
  enableExecuteCommand: true,
  version: 3,
  containers: [{ name: 'web' } as TaskContainer, { name: 'side' } as TaskContainer],
} as unknown as Task
const report = (status: 'RUNNING' | 'STOPPED', reason: string, containerName = 'web') =>
  [{ containerName, managedAgentName: 'ExecuteCommandAgent', status, reason }] as const

test('an agent that runs, stops and runs again shows its last start', () => {
  const running = observeManagedAgents(task, report('RUNNING', 'ExecuteCommandAgent started'), 10)
  expect(running.version).toBe(4)
  expect(running.containers).toEqual([
    {
      name: 'web',
      managedAgent: { lastStatus: 'RUNNING', lastStartedAt: 10, reason: 'ExecuteCommandAgent started' },
    },
    { name: 'side' },
  ])
  const stopped = observeManagedAgents(running, report('STOPPED', 'gone'), 20)
  expect(stopped.containers[0]?.managedAgent).toEqual({
    lastStatus: 'STOPPED',
    lastStartedAt: 10,
    reason: 'gone',
  })
  const again = observeManagedAgents(stopped, report('RUNNING', 'back'), 30)
  expect(again.containers[0]?.managedAgent?.lastStartedAt).toBe(30)
})

test('old news, other agents and unknown containers change nothing', () => {
  const running = observeManagedAgents(task, report('RUNNING', 'started'), 10)
  expect(observeManagedAgents(running, report('RUNNING', 'started'), 20)).toBe(running)
  expect(observeManagedAgents(task, report('RUNNING', 'started', 'nobody'), 20)).toBe(task)
  expect(observeManagedAgents(task, [], 20)).toBe(task)
  const other = [{ containerName: 'web', managedAgentName: 'Other', status: 'RUNNING' as const }]
  expect(observeManagedAgents(task, other, 20)).toBe(task)
})

test('a task without execute command has no such agent', () => {
  const plain = { ...task, enableExecuteCommand: false }
  expect(observeManagedAgents(plain, report('RUNNING', 'started'), 10)).toBe(plain)
})
