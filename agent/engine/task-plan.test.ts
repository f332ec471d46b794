import { expect, test } from 'vitest'
import type { PayloadContainer } from '@berth/agent-protocol/acs.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { awaited, hasDependencyCycle, nextSteps, settleTask } from './task-plan.ts'
import { type ContainerRecord, newTaskRecord, type TaskRecord } from './task-record.ts'

const container = (name: string, more: Partial<PayloadContainer> = {}): PayloadContainer => ({
  name,
  image: 'web:1',
  essential: false,
  cpu: 0,
  memory: 0,
  environment: {},
  portMappings: [],
  volumesFrom: [],
  mountPoints: [],
  overrides: '{}',
  dockerConfig: { config: '{}', hostConfig: '{}', version: '1.17' },
  ...more,
})

/** A task with its containers put into the states given by name. */
function task(
  containers: readonly PayloadContainer[],
  states: Readonly<Record<string, Partial<ContainerRecord>>> = {},
  desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING',
): TaskRecord {
  const record = newTaskRecord(
    { arn: 'arn:task/1', desiredStatus: 'RUNNING', family: 'f', version: '1', containers, volumes: [] },
    idsFrom(prng(1)),
    0,
  )
  return {
    ...record,
    desiredStatus,
    containers: record.containers.map((seen) => ({ ...seen, ...states[seen.name] })),
  }
}

const none: ReadonlySet<string> = new Set()
const steps = (record: TaskRecord, busy = none): readonly string[] =>
  nextSteps(record, busy, none).map(({ container: name, step }) => `${step} ${name}`)

const running = { state: 'RUNNING', startedAt: 1, runtimeId: 'id' } as const
const stopped = (exitCode: number) => ({ state: 'STOPPED', startedAt: 1, runtimeId: 'id', exitCode }) as const
const health = (status: 'HEALTHY' | 'UNHEALTHY') => ({ health: { status, since: 1, output: '' } })

test.each([
  ['NONE', ['pull web']],
  ['PULLED', ['create web']],
  ['CREATED', ['start web']],
  ['RUNNING', []],
  ['STOPPED', []],
] as const)('a container that is %s is taken on by %j', (state, expected) => {
  expect(steps(task([container('web')], { web: { state } }))).toEqual(expected)
})

test('all images are pulled at once, and a busy container is left alone', () => {
  const record = task([container('web'), container('database')])
  expect(steps(record)).toEqual(['pull web', 'pull database'])
  expect(steps(record, new Set(['web']))).toEqual(['pull database'])
})

const conditions: ReadonlyArray<
  readonly ['START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY', string, Partial<ContainerRecord>, boolean]
> = [
  ['START', 'created', { state: 'CREATED', runtimeId: 'id' }, false],
  ['START', 'running', running, true],
  ['START', 'ended', stopped(1), true],
  ['COMPLETE', 'running', running, false],
  ['COMPLETE', 'ended badly', stopped(1), true],
  ['SUCCESS', 'running', running, false],
  ['SUCCESS', 'ended well', stopped(0), true],
  ['HEALTHY', 'running', running, false],
  ['HEALTHY', 'unhealthy', { ...running, ...health('UNHEALTHY') }, false],
  ['HEALTHY', 'healthy', { ...running, ...health('HEALTHY') }, true],
]
test.each(conditions)(
  'with condition %s on one that is %s, %j, creation follows: %s',
  (condition, _, state, met) => {
    const web = container('web', { dependsOn: [{ containerName: 'database', condition }] })
    const record = task([container('database'), web], { database: state, web: { state: 'PULLED' } })
    expect(steps(record).includes('create web')).toBe(met)
  },
)

const impossible: ReadonlyArray<readonly ['START' | 'SUCCESS' | 'HEALTHY', Partial<ContainerRecord>]> = [
  ['START', { state: 'STOPPED' }],
  ['SUCCESS', stopped(1)],
  ['HEALTHY', { ...stopped(0), ...health('HEALTHY') }],
]
test.each(impossible)('condition %s on %j can never be met, which stops the task', (condition, state) => {
  const web = container('web', { dependsOn: [{ containerName: 'database', condition }] })
  const record = task([container('database'), web], { database: state, web: { state: 'PULLED' } })
  const settled = settleTask(record, none, none, 1000)
  expect(settled.desiredStatus).toBe('STOPPED')
  expect(settled.containers[1]?.reason).toMatch(/^TaskDependencyError: container database stopped before/)
})

test('a start timeout counts from the start of the one that is waited for', () => {
  const web = container('web', { dependsOn: [{ containerName: 'database', condition: 'HEALTHY' }] })
  const record = task([container('database', { startTimeout: 10 }), web], { database: running })
  expect(awaited(record)).toEqual([{ container: 'database', startedAt: 1, limitMs: 10_000 }])
  expect(settleTask(record, none, none, 10_001).desiredStatus).toBe('RUNNING')
  expect(settleTask(record, none, new Set(['database']), 10_001).desiredStatus).toBe('STOPPED')
  expect(awaited(task([container('database')], { database: running }))).toEqual([])
})

test('an essential container that ended stops the task, others do not', () => {
  const containers = [container('web', { essential: true }), container('sidecar')]
  const sidecarGone = task(containers, { web: running, sidecar: stopped(1) })
  expect(settleTask(sidecarGone, none, none, 5).desiredStatus).toBe('RUNNING')
  const webGone = task(containers, { web: { ...stopped(0), finishedAt: 4 }, sidecar: running })
  expect(settleTask(webGone, none, none, 5)).toMatchObject({
    desiredStatus: 'STOPPED',
    executionStoppedAt: 4,
  })
  expect(steps(settleTask(webGone, none, none, 5))).toEqual(['stop sidecar'])
})

test('going down reverses the order of coming up', () => {
  const web = container('web', { dependsOn: [{ containerName: 'database', condition: 'START' }] })
  const linked = container('proxy', { links: ['web:w'] })
  const containers = [container('database'), web, linked]
  const all = { database: running, web: running, proxy: running }
  expect(steps(task(containers, all, 'STOPPED'))).toEqual(['stop proxy'])
  expect(steps(task(containers, { ...all, proxy: stopped(0) }, 'STOPPED'))).toEqual(['stop web'])
  expect(steps(task(containers, { ...all, proxy: stopped(0), web: stopped(0) }, 'STOPPED'))).toEqual([
    'stop database',
  ])
})

test('what never started needs no stopping, unless it may be about to start', () => {
  const record = task(
    [container('web'), container('database')],
    { web: { state: 'CREATED', runtimeId: 'id' } },
    'STOPPED',
  )
  const settled = settleTask(record, new Set(['web']), none, 7)
  expect(settled.containers.map(({ state }) => state)).toEqual(['CREATED', 'STOPPED'])
  const ended = settleTask(settled, none, none, 8)
  expect(ended).toMatchObject({ stoppedAt: 8 })
  expect(ended.containers.every(({ exitCode }) => exitCode === undefined)).toBe(true)
})

test('finds circles of dependencies', () => {
  const on = (containerName: string) => ({ dependsOn: [{ containerName, condition: 'START' as const }] })
  expect(hasDependencyCycle([container('a', on('b')), container('b', on('c')), container('c')])).toBe(false)
  expect(
    hasDependencyCycle([container('a', on('b')), container('b', on('c')), container('c', on('a'))]),
  ).toBe(true)
  expect(hasDependencyCycle([container('a', { links: ['a'] })])).toBe(true)
})
