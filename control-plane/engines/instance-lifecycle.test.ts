import { beforeEach, expect, test } from 'vitest'
import type { Clock } from '@berth/std/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { defaultNetwork } from '#domain/ec2-network.ts'
import type { Instance } from '#domain/instance.ts'
import { memoryJournal } from '#state/journal.ts'
import { Store } from '#state/store.ts'
import { drive } from './reconciler.ts'
import { type InstanceProvider, instanceLifecycle, type InstanceSpec } from './instance-lifecycle.ts'

/** Hosts that take a look to shut down, and may refuse to be launched. */
class SimulatedProvider implements InstanceProvider {
  readonly running = new Map<string, InstanceSpec>()
  readonly stopped = new Set<string>()
  refusal: string | undefined
  removed = false
  #shuttingDown = new Set<string>()

  run(spec: InstanceSpec): Promise<'running' | 'pending' | 'gone'> {
    if (this.removed) return Promise.resolve('gone')
    if (this.refusal !== undefined) return Promise.reject(new Error(this.refusal))
    const { instanceId, boot } = spec.instance
    const known = this.running.get(instanceId)
    if (known && known.instance.boot !== boot && !this.#down(instanceId)) return Promise.resolve('pending')
    this.running.set(instanceId, spec)
    this.stopped.delete(instanceId)
    return Promise.resolve('running')
  }
  stop(instanceId: string): Promise<'stopped' | 'stopping'> {
    if (!this.#down(instanceId)) return Promise.resolve('stopping')
    this.stopped.add(instanceId)
    return Promise.resolve('stopped')
  }
  terminate(instanceId: string): Promise<'terminated' | 'shutting-down'> {
    if (!this.#down(instanceId)) return Promise.resolve('shutting-down')
    this.stopped.delete(instanceId)
    return Promise.resolve('terminated')
  }
  observe(): Promise<readonly string[]> {
    return Promise.resolve([...this.running.keys(), ...this.stopped])
  }
  #down(instanceId: string): boolean {
    if (!this.running.has(instanceId)) return true
    if (!this.#shuttingDown.delete(instanceId)) {
      this.#shuttingDown.add(instanceId)
      return false
    }
    this.running.delete(instanceId)
    return true
  }
}

const scope = { accountId: '000000000000', region: 'us-east-1' }
const network = defaultNetwork(scope)
const id = 'i-00000000000000001'
let store: Store
let provider: SimulatedProvider
let engine: ReturnType<typeof instanceLifecycle>
let now = 1_000

/** One look at everything, or at the instance, with all that follows from it. Failures come back. */
const look = async (
  places: ReadonlySet<string> = new Set(engine.everywhere?.(store)),
): Promise<unknown[]> => {
  const { effects = [] } = store.update((tx) => engine.reconcile(tx, now, places))
  const failures: unknown[] = []
  for (const effect of effects)
    try {
      const outcome = await engine.perform?.(effect)
      store.update((tx) => engine.settle?.(tx, now, effect, outcome as never))
    } catch (error) {
      failures.push(error)
    }
  return failures
}
const here = new Set([id])
const row = (): Instance | undefined => store.find('instance', id)
const ask = (change: Partial<Instance>): void =>
  store.update((tx) => tx.put('instance', { ...(row() as Instance), ...change }))

beforeEach(async () => {
  now = 1_000
  store = await Store.open(memoryJournal)
  provider = new SimulatedProvider()
  engine = instanceLifecycle(provider, idsFrom(prng(1)))
  const [subnet] = network.subnets
  store.update((tx) => {
    tx.put('vpc', network.vpc)
    if (subnet) tx.put('subnet', subnet)
    tx.put('securityGroup', network.securityGroup)
    tx.put('instance', {
      ...scope,
      instanceId: id,
      reservationId: 'r-1',
      launchIndex: 0,
      imageId: 'ami-1',
      instanceType: 't3.micro',
      vpcId: network.vpc.vpcId,
      subnetId: subnet?.subnetId ?? '',
      availabilityZone: 'us-east-1a',
      securityGroupIds: [network.securityGroup.groupId],
      networkInterfaceId: 'eni-1',
      macAddress: '0a:ff:ac:1f:05:07',
      privateIpAddress: '172.31.5.7',
      privateDnsName: 'ip-172-31-5-7.ec2.internal',
      launchTime: now,
      metadataOptions: { httpTokens: 'optional', httpPutResponseHopLimit: 2 },
      desiredState: 'running',
      boot: 1,
      state: 'pending',
      bootSeen: 0,
      stateTransitionReason: '',
    })
  })
})

test('launches an instance with its size and a key of its own', async () => {
  await look(here)
  expect(row()).toMatchObject({ state: 'running', bootSeen: 1 })
  const spec = provider.running.get(id)
  expect(spec).toMatchObject({ vcpu: 2, memoryMiB: 1024, subnet: { cidrBlock: '172.31.0.0/20' } })
  expect(spec?.accessKey.principalArn).toBe(`arn:aws:sts::000000000000:assumed-role/ecsInstanceRole/${id}`)
  expect(store.find('accessKey', spec?.accessKey.accessKeyId ?? '')).toEqual(spec?.accessKey)
})

test('ends a launch that fails with the reason, as AWS does', async () => {
  provider.refusal = 'dockerd is not installed'
  await look(here)
  expect(row()).toMatchObject({
    state: 'terminated',
    stateReason: { code: 'Server.InternalError', message: 'Server.InternalError: dockerd is not installed' },
  })
  expect(store.list('accessKey')).toEqual([])
})

test('does not give up an instance that ran before because it cannot be started now', async () => {
  await look(here)
  provider.running.clear()
  provider.refusal = 'no more processes'
  expect(await look()).toEqual([new Error('no more processes')])
  expect(row()?.state).toBe('running')
  provider.refusal = undefined
  await look()
  expect(provider.running.has(id)).toBe(true)
})

test('reboots an instance: down first, then up at the next boot, with the same key', async () => {
  await look(here)
  const key = provider.running.get(id)?.accessKey
  ask({ boot: 2 })
  await look(here)
  expect(row()?.bootSeen).toBe(1)
  await look(here)
  expect(row()).toMatchObject({ state: 'running', bootSeen: 2 })
  expect(provider.running.get(id)?.accessKey).toEqual(key)
})

test('stops an instance and starts it again', async () => {
  await look(here)
  ask({ desiredState: 'stopped' })
  await look(here)
  expect(row()?.state).toBe('stopping')
  await look(here)
  expect(row()?.state).toBe('stopped')
  ask({ desiredState: 'running', boot: 2 })
  await look(here)
  expect(row()).toMatchObject({ state: 'running', bootSeen: 2 })
})

test('terminates an instance, takes its key away, and forgets it an hour later', async () => {
  await look(here)
  ask({ desiredState: 'terminated' })
  await look(here)
  expect(row()?.state).toBe('shutting-down')
  await look(here)
  expect(row()).toMatchObject({ state: 'terminated', forgetAt: now + 3_600_000 })
  expect([provider.running.size, store.list('accessKey').length]).toEqual([0, 0])
  now += 3_599_999
  await look()
  expect(row()).toBeDefined()
  now += 1
  await look()
  expect(row()).toBeUndefined()
})

test('adopts what it finds after a restart, boots what is gone, and removes what no row knows', async () => {
  await look(here)
  const found = provider.running.get(id)
  const stranger = 'i-0000000000000000f'
  if (found) provider.running.set(stranger, found)
  engine = instanceLifecycle(provider, idsFrom(prng(2)))
  await look()
  expect(provider.running.get(id)?.accessKey).toEqual(found?.accessKey)
  provider.running.delete(id)
  await look()
  expect(provider.running.has(id)).toBe(true)
  await look()
  expect([...provider.running.keys()]).toEqual([id])
})

test('ends an instance that somebody removed from its machine', async () => {
  await look(here)
  provider.removed = true
  await look()
  expect(row()).toMatchObject({
    state: 'terminated',
    stateReason: { message: 'Server.InternalError: the instance was removed from its machine' },
  })
})

test('acts on an instance once at a time, also when it looks everywhere', async () => {
  const stop = new AbortController()
  const calls: Array<() => void> = []
  const atOnce = new Set<string>()
  provider.run = async ({ instance: { instanceId } }) => {
    expect(atOnce.has(instanceId)).toBe(false)
    atOnce.add(instanceId)
    await new Promise<void>((resolve) => calls.push(resolve))
    atOnce.delete(instanceId)
    return 'running'
  }
  const clock = new HandClock()
  const errors: unknown[] = []
  const driving = drive(engine, {
    store,
    clock,
    stop: stop.signal,
    onError: (_, error) => errors.push(error),
  })
  for (let turn = 0; turn < 50; turn++) await clock.pass(1_000)
  expect(calls).toHaveLength(1)
  calls[0]?.()
  for (let turn = 0; turn < 5; turn++) await clock.pass(0)
  stop.abort()
  for (const call of calls) call()
  await driving
  expect([errors, row()?.state]).toEqual([[], 'running'])
})

/** Time that passes when it is told to, with what is due done. */
class HandClock implements Clock {
  #now = 1_000
  readonly #due = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }
  at(at: number, callback: () => void): () => void {
    const call = { at, callback }
    this.#due.add(call)
    return () => this.#due.delete(call)
  }
  async pass(durationMs: number): Promise<void> {
    this.#now += durationMs
    for (const call of this.#due)
      if (call.at <= this.#now) {
        this.#due.delete(call)
        call.callback()
      }
    await new Promise((resolve) => setImmediate(resolve))
  }
}
