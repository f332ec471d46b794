/** Every parameter of a container definition on a real container, read from inside or from Docker's inspect. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  DescribeTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refusals } from './container-parameters-refusals.ts'
import type { Row } from './container-parameters-row.ts'
import { rows } from './container-parameters-rows.ts'
import { type Inspected, OneInstance, polite, runtimeId } from './one-instance.ts'
import { eventually } from './world.ts'

const execute = promisify(execFile)
const mib = 2 ** 20

let one: OneInstance
let dockerHost = ''
/** Of each row, by what it is about. */
let ended: ReadonlyMap<string, Task>
let inspected: ReadonlyMap<string, Inspected>

const bin = mkdtempSync(join(tmpdir(), 'berth-bin-'))
// Two GPUs that only the driver's tool knows of; runc runs what nvidia's runtime would.
const driverTool = `#!/bin/sh\nprintf 'GPU-aaaa, 535.1\\nGPU-bbbb, 535.1\\n'\n`
const settings = [
  'BERTH_EFS_SERVERS=fs-1=127.0.0.1:/export',
  'ECS_TASK_PIDS_LIMIT=50',
  'ECS_ENABLE_GPU_SUPPORT=true',
  'ECS_NVIDIA_RUNTIME=runc',
]

beforeAll(async () => {
  writeFileSync(join(bin, 'nvidia-smi'), driverTool, { mode: 0o755 })
  one = await OneInstance.start(settings, undefined, {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
  })
  dockerHost = await one.world.berthCommand('docker-host', one.instanceId)
  const started = await Promise.all(rows.map(async (row) => [row.what, await start(row)] as const))
  ended = await allEnded(new Map(started))
  const found = await docker('inspect', ...[...ended.values()].map((task) => runtimeId(task)))
  inspected = new Map((JSON.parse(found) as Inspected[]).map((one) => [one.Id, one]))
}, 120_000)
afterAll(async () => {
  rmSync(bin, { recursive: true })
  await one.end()
})

function start({ container, others = [], more, overrides, script = 'true' }: Row): Promise<string> {
  const main = { memory: 16, command: ['sh', '-c', script], ...container }
  return one.run([main, ...others.map((other) => ({ memory: 16, ...other }))], more, overrides)
}

/** Asks for all at once, as often as for one. */
async function allEnded(started: ReadonlyMap<string, string>): Promise<Map<string, Task>> {
  let running: readonly string[] = []
  const look = async (): Promise<Map<string, Task> | false> => {
    const tasks = [...started.values()]
    const found = await one.world.ecs.send(new DescribeTasksCommand({ cluster: one.cluster, tasks }))
    const byArn = new Map((found.tasks ?? []).map((task) => [task.taskArn, task]))
    const all = [...started].flatMap(([what, arn]) => {
      const task = byArn.get(arn)
      return task ? [[what, task] as const] : []
    })
    running = all.flatMap(([what, task]) => (task.lastStatus === 'STOPPED' ? [] : [what]))
    return running.length === 0 && new Map(all)
  }
  try {
    return await eventually('all tasks end', look, 80)
  } catch (cause) {
    throw new Error(`not ended: ${running.join('; ')}`, { cause })
  }
}

const docker = async (...words: readonly string[]): Promise<string> => {
  const { stdout } = await execute('docker', ['-H', dockerHost, ...words], { maxBuffer: 64 * mib })
  return stdout.trim()
}

test.each(rows)('$what', async ({ what, prints, config = {}, hostConfig = {}, mayFail = false }) => {
  const { containers = [], stoppedReason } = ended.get(what) ?? {}
  const { runtimeId: id = '', exitCode, reason } = containers.find(({ name }) => name === 'main') ?? {}
  const { Config, HostConfig } = inspected.get(id) ?? {}
  const printed = prints && (await docker('logs', id)).split(/\r?\n/)
  expect({ exitCode, reason, stoppedReason, Config, HostConfig, printed }).toMatchObject({
    ...(!mayFail && { exitCode: 0 }),
    Config: config,
    HostConfig: hostConfig,
    printed: prints,
  })
})

test.each(refusals)('%s is refused at placement', async (what, container, more, reason) => {
  const { ecs } = one.world
  const family = what.replaceAll(/\W/g, '-')
  const containerDefinitions = [{ name: 'main', image: one.image, memory: 16, ...container }]
  await ecs.send(new RegisterTaskDefinitionCommand({ family, containerDefinitions, ...more }))
  const { failures, tasks } = await ecs.send(
    new RunTaskCommand({ cluster: one.cluster, taskDefinition: family }),
  )
  expect(tasks).toEqual([])
  expect(failures).toMatchObject([{ reason }])
})

/** A file of the cgroup in which Docker made the task's containers: its name in version 1, or else in version 2. */
function cgroupFile(parent: string, controller: string, version1: string, version2: string): string {
  const one = `/sys/fs/cgroup/${controller}${parent}/${version1}`
  return readFileSync(existsSync(one) ? one : `/sys/fs/cgroup${parent}/${version2}`, 'utf8').trim()
}

test('cpu and memory of the task bind its containers together, in a cgroup that goes with it', async () => {
  const taskArn = await one.run(
    [
      { memory: undefined, command: polite },
      { memory: 16, command: polite },
    ],
    { cpu: '256', memory: '48' },
  )
  const task = await one.at(taskArn, 'RUNNING')
  const all = JSON.parse(await docker('inspect', runtimeId(task), runtimeId(task, 'side-1'))) as Inspected[]
  const parents = all.map(({ HostConfig }) => HostConfig['CgroupParent'])
  const parent = String(parents[0])
  expect(parents).toEqual([parent, parent])
  expect(parent).toMatch(new RegExp(`/containers/ecs/${taskArn.split('/').at(-1)}$`))
  expect(all.map(({ HostConfig }) => HostConfig['Memory'])).toEqual([0, 16 * mib])
  expect(['25000', '25000 100000']).toContain(cgroupFile(parent, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'))
  expect(cgroupFile(parent, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(48 * mib))
  expect(cgroupFile(parent, 'pids', 'pids.max', 'pids.max')).toBe('50')
  const pids = await docker('top', runtimeId(task), '-o', 'pid')
  const pid = pids.split('\n')[1]?.trim()
  expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(`${parent}/${runtimeId(task)}`)
  await one.stop(taskArn)
  const isThere = (): boolean =>
    existsSync(`/sys/fs/cgroup/memory${parent}`) || existsSync(`/sys/fs/cgroup${parent}`)
  await eventually('the cgroup is gone', () => Promise.resolve(!isThere()))
})

test('a container without a limit of its own may have no more memory than its task', async () => {
  const script = 'x=aaaaaaaa; while :; do x=$x$x; done'
  const taskArn = await one.run([{ memory: undefined, command: ['sh', '-c', script] }], { memory: '16' })
  const { containers: [container] = [] } = await one.at(taskArn, 'STOPPED')
  expect(container).toMatchObject({
    exitCode: 137,
    reason: 'OutOfMemoryError: Container killed due to memory usage',
  })
})

test('startTimeout gives up on what waits, stopTimeout on what does not end', async () => {
  const deaf = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.2; done']
  const stopped = await one.at(
    await one.run([
      { command: polite, dependsOn: [{ containerName: 'slow', condition: 'COMPLETE' }] },
      { name: 'slow', essential: false, command: deaf, startTimeout: 2, stopTimeout: 2 },
    ]),
    'STOPPED',
  )
  const [main, slow] = ['main', 'slow'].map((name) => stopped.containers?.find((one) => one.name === name))
  expect(main?.runtimeId).toBeUndefined()
  expect(slow).toMatchObject({ exitCode: 137 })
})

test('an EFS volume is a mount of the server that was named for it', async () => {
  const volumes = [{ name: 'files', efsVolumeConfiguration: { fileSystemId: 'fs-1', rootDirectory: '/a' } }]
  const mountPoints = [{ sourceVolume: 'files', containerPath: '/files' }]
  // Nobody serves there: the task cannot start, but the volume is made.
  const task = await one.at(await one.run([{ mountPoints }], { volumes }), 'STOPPED')
  expect(task.stopCode).toBe('TaskFailedToStart')
  const name = (await docker('volume', 'ls', '--quiet', '--filter', 'name=files')).split('\n')[0] ?? ''
  expect(JSON.parse(await docker('volume', 'inspect', name))).toMatchObject([
    {
      Driver: 'local',
      Options: {
        type: 'nfs',
        device: ':/export/a',
        o: 'addr=127.0.0.1,nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2',
      },
    },
  ])
  const unknown = [{ name: 'files', efsVolumeConfiguration: { fileSystemId: 'fs-2' } }]
  const refused = await one.at(await one.run([{ mountPoints }], { volumes: unknown }), 'STOPPED')
  expect(refused.stoppedReason).toContain('Failed to resolve "fs-2.efs.us-east-1.amazonaws.com"')
})
