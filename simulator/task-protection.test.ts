import { protect } from '@berth/control-plane/domain/task-protection.ts'
import { requestStop, type StopCause, type Task } from '@berth/control-plane/domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { EngineBench } from './engine-bench.ts'
import { brokenProtectionLaw } from './task-protection.ts'

const scaling = { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity initiated by x' }
const unhealthy = { ...scaling, stoppedReason: 'Task failed container health checks' }
const byUser = { stopCode: 'UserInitiated', stoppedReason: 'Scaling activity' }

test.each([
  ['a stop for scaling', scaling, 'ACTIVE', 10, true],
  ['a stop for scaling after its time', scaling, 'ACTIVE', 0, false],
  ['a stop of a deleted service', scaling, 'DRAINING', 10, false],
  ['a stop for bad health', unhealthy, 'ACTIVE', 10, false],
  ['a stop by the user', byUser, 'ACTIVE', 10, false],
] as const)('knows whether %s breaks the protection of a task', async (_, cause, status, minutes, broken) => {
  const bench = await EngineBench.open()
  onTestFinished(() => bench.close())
  const { serviceArn } = bench.putService(bench.putTaskDefinition(1), { status })
  const now = bench.clock.now()
  const task = { taskArn: 'task', serviceArn, desiredStatus: 'RUNNING', containerInstanceArn: 'x' } as Task
  const before = protect(task, minutes, now)
  const after = requestStop(before, { ...cause, now } as StopCause)
  const law = brokenProtectionLaw(bench.store, [{ table: 'task', before, after }], now)
  expect(law !== undefined).toBe(broken)
})
