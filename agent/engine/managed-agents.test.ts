import { expect, test } from 'vitest'
import { managedAgentChanges, toolboxPath } from './managed-agents.ts'
import type { TaskRecord } from './task-record.ts'

const record = {
  task: { containers: [{ name: 'web', managedAgents: [{ name: 'ExecuteCommandAgent' }] }, { name: 'side' }] },
  containers: [{ name: 'web', metadataId: 'an-id' }],
} as unknown as TaskRecord

test('the execute command agent starts and stops with its container, and only where there is one', () => {
  const changes = (['RUNNING', 'STOPPED'] as const).flatMap((status) =>
    ['web', 'side'].map((containerName) => ({ containerName, status })),
  )
  const agent = { containerName: 'web', managedAgentName: 'ExecuteCommandAgent' }
  expect(managedAgentChanges(record, changes)).toEqual([
    { ...agent, status: 'RUNNING', reason: 'ExecuteCommandAgent started' },
    { ...agent, status: 'STOPPED', reason: 'Received Container Stopped event' },
  ])
})

test('the toolbox of a container is always at the same place', () => {
  expect(toolboxPath(record, 'web')).toBe('/ecs-execute-command-an-id')
})
