import { expect, test } from 'vitest'
import type { NetworkRules } from '@berth/agent-protocol/network-rules.ts'
import { sandboxName } from '#engine/sandbox.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { ContainerDetail, ContainerRuntime, CreateBody } from './container-runtime.ts'
import type { EcsApi } from './ports.ts'
import { type TaskInterface, TaskNetwork } from './task-network.ts'

const eni = {
  ec2Id: 'eni-1',
  attachmentArn: 'arn:aws:ecs:us-east-1:000000000000:attachment/one',
  macAddress: '0a:fe:ac:1f:00:09',
  ipv4Addresses: [{ primary: true, privateAddress: '172.31.0.9' }],
  subnetGatewayIpv4Address: '172.31.0.1/20',
  privateDnsName: 'ip-172-31-0-9.ec2.internal',
}
const recordOf = (more: object = {}): TaskRecord =>
  ({
    task: {
      arn: 'arn:aws:ecs:us-east-1:000000000000:task/default/abc',
      family: 'web',
      version: '1',
      networkMode: 'awsvpc',
      elasticNetworkInterfaces: [eni],
      ...more,
    },
    containers: [{ name: 'main' }],
  }) as unknown as TaskRecord
const rules: NetworkRules = {
  interfaces: [{ ec2Id: 'eni-1', privateAddress: '172.31.0.9', ingress: [], egress: [] }],
  groups: {},
}

/** A runtime with one place for a container. */
function host() {
  let container: Partial<ContainerDetail> | undefined
  const done: string[] = []
  const bodies: CreateBody[] = []
  const attached: TaskInterface[] = []
  const later: Array<() => void> = []
  let isBusy = false
  const runtime: Pick<ContainerRuntime, 'inspect' | 'create' | 'start' | 'remove'> = {
    inspect: () => Promise.resolve(container as ContainerDetail | undefined),
    create: (name, body) => {
      bodies.push(body)
      container = { id: 'pause-1', name, status: 'created' }
      return Promise.resolve('pause-1')
    },
    start: () => {
      container = { ...container, status: 'running', pid: 7 }
      return Promise.resolve()
    },
    remove: () => {
      container = undefined
      return Promise.resolve()
    },
  }
  const network = new TaskNetwork({
    runtime: runtime as ContainerRuntime,
    image: () => Promise.resolve('berth/pause:1'),
    host: {
      attach: (_, wanted) => {
        attached.push(wanted)
        done.push('attached')
        return Promise.resolve()
      },
      detach: ({ address }) => {
        done.push(`detached ${address}`)
        return Promise.resolve()
      },
      apply: () => {
        done.push(isBusy ? 'busy' : 'guarded')
        return isBusy ? Promise.reject(new Error('nft: busy')) : Promise.resolve()
      },
    },
    clock: {
      now: () => 0,
      at: (_, callback) => {
        later.push(callback)
        return () => undefined
      },
    },
    ecs: {
      submitTaskStateChange: ({ attachments = [] }) => {
        done.push(`told ${attachments[0]?.status}`)
        return Promise.resolve({})
      },
    } satisfies Pick<EcsApi, 'submitTaskStateChange'>,
    log: () => undefined,
  })
  const setBusy = (value: boolean): void => void (isBusy = value)
  const passTime = (): void => {
    for (const callback of later.splice(0)) callback()
  }
  const die = (): void => void (container = { ...container, status: 'exited' })
  return { network, done, bodies, attached, die, setBusy, passTime }
}

test('nothing of a task is attached before its rules stand, and then the control plane is told', async () => {
  const { network, done, attached, bodies } = host()
  const providing = network.provide(recordOf())
  await Promise.resolve()
  expect(done).toEqual([])
  network.takeRules(rules)
  expect(await providing).toEqual({ '*': { hostConfig: { NetworkMode: 'container:pause-1' } } })
  expect(done).toEqual(['guarded', 'attached', 'told ATTACHED'])
  expect(attached).toEqual([
    {
      id: 'eni-1',
      address: '172.31.0.9',
      prefixLength: 20,
      gateway: '172.31.0.1',
      macAddress: '0a:fe:ac:1f:00:09',
    },
  ])
  expect(bodies[0]).toMatchObject({ Hostname: eni.privateDnsName, HostConfig: { NetworkMode: 'none' } })
})

test('after a restart the pause container is found again', async () => {
  const { network, bodies } = host()
  network.takeRules(rules)
  await network.provide(recordOf())
  await network.provide(recordOf())
  expect(bodies).toHaveLength(1)
})

test.each([
  [{ pidMode: 'task' }, { PidMode: 'container:pause-1' }],
  [{ ipcMode: 'task' }, { IpcMode: 'container:pause-1' }],
])('namespaces are shared without a network too: %j', async (modes, hostConfig) => {
  const { network, done } = host()
  const record = recordOf({ networkMode: 'bridge', elasticNetworkInterfaces: undefined, ...modes })
  expect(await network.provide(record)).toEqual({ '*': { hostConfig } })
  expect(done).toEqual([])
})

test('a pause container that has ended takes its task with it', async () => {
  const { network, die } = host()
  network.takeRules(rules)
  await network.provide(recordOf())
  const begun = { ...recordOf(), containers: [{ name: 'main', runtimeId: 'c1' }] } as unknown as TaskRecord
  expect(await network.isIntact(begun)).toBe(true)
  die()
  expect(await network.isIntact(begun)).toBe(false)
  await expect(network.provide(begun)).rejects.toThrow('the pause container of the task has stopped')
})

test('the name of the pause container is that of its task', () => {
  expect(sandboxName(recordOf().task)).toBe('ecs-web-1-internalecspause-abc')
})

test('rules that cannot be applied just now are tried again, and the task waits for them', async () => {
  const { network, done, setBusy, passTime } = host()
  setBusy(true)
  network.takeRules(rules)
  const providing = network.provide(recordOf())
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual(['busy'])
  setBusy(false)
  passTime()
  await providing
  expect(done).toEqual(['busy', 'guarded', 'attached', 'told ATTACHED'])
})

test('an interface is taken away with its pause container: a connection left half open would keep it', async () => {
  const { network, done } = host()
  await network.release(recordOf())
  expect(done).toEqual(['detached 172.31.0.9'])
})
