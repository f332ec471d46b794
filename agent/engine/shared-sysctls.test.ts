import { expect, test } from 'vitest'
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/payload.ts'
import { sharedSysctls, withoutSharedSysctls } from './shared-sysctls.ts'

const [net, ipc] = ['net.core.somaxconn', 'kernel.msgmax']
const container = (name: string, sysctls: object): PayloadContainer => ({
  name,
  image: 'web:1',
  essential: true,
  cpu: 0,
  memory: 0,
  environment: {},
  portMappings: [],
  volumesFrom: [],
  mountPoints: [],
  overrides: '{}',
  dockerConfig: { config: '{}', hostConfig: JSON.stringify({ Sysctls: sysctls }), version: '1.24' },
})

test.each<[Partial<PayloadTask>, shared: object, own: object]>([
  [{ networkMode: 'bridge' }, {}, { [net]: '1', [ipc]: '2' }],
  [{ networkMode: 'awsvpc' }, { [net]: '3' }, { [ipc]: '2' }],
  [{ networkMode: 'bridge', ipcMode: 'task' }, { [ipc]: '2' }, { [net]: '1' }],
  [{ networkMode: 'awsvpc', ipcMode: 'task' }, { [net]: '3', [ipc]: '2' }, {}],
])('of a task with %j, %j is set for all and %j for the container alone', (modes, shared, own) => {
  const sysctls = { [net]: '1', [ipc]: '2' }
  const task: PayloadTask = {
    arn: 'arn:task/1',
    desiredStatus: 'RUNNING',
    containers: [container('a', sysctls), container('b', { [net]: '3' })],
    ...modes,
  }
  expect(sharedSysctls(task)).toEqual(shared)
  expect(withoutSharedSysctls({ Sysctls: sysctls, Init: true }, task)).toEqual({ Sysctls: own, Init: true })
})

test('a container without parameters stays as it is', () => {
  const task: PayloadTask = { arn: 'arn:task/1', desiredStatus: 'RUNNING', networkMode: 'awsvpc' }
  expect(withoutSharedSysctls({ Init: true }, task)).toEqual({ Init: true })
})
