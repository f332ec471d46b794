import { expect, test } from 'vitest'
import { fakeContainer, fakeTask } from '#runtime/fake-control-plane.ts'
import { hasDigestsToTell, nextReport, reported } from './report.ts'
import type { ContainerRecord, TaskRecord } from './task-record.ts'

const pulled: Partial<ContainerRecord> = { state: 'PULLED', imageDigest: 'sha256:1' }

function task(states: Readonly<Record<string, Partial<ContainerRecord>>>, image = 'web:1'): TaskRecord {
  return {
    schemaVersion: 1,
    task: fakeTask(
      'aaaa',
      Object.keys(states).map((name) => fakeContainer(name, { image })),
    ),
    desiredStatus: 'RUNNING',
    stopRequested: false,
    containers: Object.entries(states).map(([name, state]) => ({
      name,
      dockerName: name,
      metadataId: name,
      state: 'NONE',
      hostPorts: [],
      ...state,
    })),
    volumes: [],
    changes: [],
    acceptedAt: 0,
  }
}

test('digests go ahead where that is asked for, each once', () => {
  const record = task({ web: pulled, side: {} })
  expect(nextReport(record, false)).toBeUndefined()
  const report = nextReport(record, true)
  expect(report).toEqual({
    status: 'PENDING',
    reason: '',
    changes: [{ containerName: 'web', status: 'PENDING', imageDigest: 'sha256:1' }],
  })
  if (!report) throw new Error('nothing is told')
  const after = reported(record, report)
  expect(after.sentStatus).toBeUndefined()
  expect(nextReport(after, true)).toBeUndefined()
  const later = task({ web: pulled, side: { ...pulled, imageDigest: 'sha256:2' } })
  expect(nextReport({ ...later, digestsSent: ['web'] }, true)?.changes).toMatchObject([
    { imageDigest: 'sha256:2' },
  ])
})

test.each([
  ['the control plane named the digest itself', task({ web: pulled }, 'web@sha256:1')],
  ['the task is to stop', { ...task({ web: pulled }), desiredStatus: 'STOPPED' as const }],
  ['nothing is pulled', task({ web: {} })],
  ['the task runs', task({ web: { ...pulled, state: 'RUNNING' } })],
])('no digest goes ahead when %s', (_, record) => {
  expect(hasDigestsToTell(record)).toBe(false)
  expect(nextReport(record, true)?.status).not.toBe('PENDING')
})

test("the last container's end is told with the task's", () => {
  const end = { containerName: 'web', status: 'STOPPED', exitCode: 0 } as const
  const record: TaskRecord = {
    ...task({ web: { state: 'STOPPED' } }),
    sentStatus: 'RUNNING',
    changes: [end],
  }
  expect(nextReport(record, false)).toBeUndefined()
  expect(nextReport({ ...record, stoppedAt: 1 }, false)).toMatchObject({ status: 'STOPPED', changes: [end] })
})
