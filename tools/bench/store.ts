// How fast the store changes, becomes durable and comes back: one JSON line a figure.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteJournal } from '@berth/control-plane/adapters/journal-sqlite.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { Fleet } from '@berth/control-plane/state/fleet.ts'
import { Store } from '@berth/control-plane/state/store.ts'

const tasks = 100_000
/** Tasks put by one transaction, as RunTask puts up to ten. */
const batch = 10

const scope = { accountId: '000000000000', region: 'us-east-1' }
const arn = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
const hex = (index: number): string => index.toString(16).padStart(32, '0')

/** A running task as large as a usual one of two containers. */
function taskRow(index: number): Task {
  const taskArn = arn(`task/demo/${hex(index)}`)
  const container = (name: string): Task['containers'][number] => ({
    containerArn: arn(`container/demo/${hex(index)}/00000000-0000-4000-8000-${hex(index).slice(20)}`),
    name,
    image: 'localhost:4566/web:1',
    imageDigest: `sha256:${hex(index)}${hex(index)}`,
    runtimeId: `${hex(index)}${hex(index)}`,
    lastStatus: 'RUNNING',
    networkBindings: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32_768, protocol: 'tcp' }],
    healthStatus: 'HEALTHY',
    cpu: '64',
    memory: '128',
  })
  return {
    ...scope,
    taskArn,
    clusterArn: arn('cluster/demo'),
    taskDefinitionArn: arn('task-definition/web:1'),
    containerInstanceArn: arn(`container-instance/demo/${hex(index % 5000)}`),
    availabilityZone: 'us-east-1a',
    group: 'service:web',
    startedBy: 'ecs-svc/0123456789012345678',
    serviceArn: arn('service/demo/web'),
    deploymentId: 'ecs-svc/0123456789012345678',
    launchType: 'EC2',
    enableExecuteCommand: false,
    cpuArchitecture: 'x86_64',
    cpu: '128',
    memory: '256',
    demand: { cpu: 128, memoryMiB: 256, ports: [], gpu: 0 },
    overrides: { containerOverrides: [] },
    desiredStatus: 'RUNNING',
    lastStatus: 'RUNNING',
    containers: [container('web'), container('sidecar')],
    healthStatus: 'HEALTHY',
    connectivity: 'CONNECTED',
    connectivityAt: 1_700_000_000_000,
    pullStartedAt: 1_700_000_000_000,
    pullStoppedAt: 1_700_000_000_000,
    startedAt: 1_700_000_000_000,
    createdAt: 1_700_000_000_000,
    version: 3,
  }
}

const report = (name: string, value: number, unit: string): void =>
  console.log(JSON.stringify({ name: `store.${name}`, value: Math.round(value), unit, tasks }))

async function write(path: string): Promise<void> {
  const store = await Store.open(await openSqliteJournal(path))
  Fleet.of(store)
  const rows = Array.from({ length: tasks }, (_, index) => taskRow(index))
  let started = performance.now()
  for (let from = 0; from < tasks; from += batch) {
    store.update((tx) => {
      for (const row of rows.slice(from, from + batch)) tx.put('task', row)
    })
    // Yielding now and then, as a server does between requests, lets the journal keep up.
    if (from % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await store.durable()
  report('put-durable', tasks / ((performance.now() - started) / 1000), 'tasks/s')

  const writes = 200
  started = performance.now()
  for (let index = 0; index < writes; index++) {
    store.update((tx) => tx.put('task', { ...taskRow(index), version: 4 }))
    await store.durable()
  }
  report('write-alone', ((performance.now() - started) / writes) * 1000, 'us')
  await store.close()
}

async function recover(path: string): Promise<void> {
  const started = performance.now()
  const journal = await openSqliteJournal(path)
  const store = await Store.open(journal)
  Fleet.of(store)
  report('recovery', performance.now() - started, 'ms')
  if (store.size('task') !== tasks) throw new Error('tasks were lost')
  await journal.close()
}

const [, script = '', recovered] = process.argv
if (recovered !== undefined) await recover(recovered)
else {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  try {
    const path = join(directory, 'berth.sqlite')
    await write(path)
    // In a process of its own, as after a restart.
    execFileSync(process.execPath, [...process.execArgv, script, path], { stdio: 'inherit' })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
