import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  type ContainerDefinition,
  CreateServiceCommand,
  DeleteServiceCommand,
  ExecuteCommandCommand,
  RunTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OneInstance } from './one-instance.ts'
import { eventually } from './world.ts'

let one: OneInstance
let bare = ''
/** A directory for PATH with the stand-in of session-manager-plugin. */
const programs = mkdtempSync(join(tmpdir(), 'berth-exec-'))
const asleep = ['sleep', '600']

beforeAll(async () => {
  one = await OneInstance.start()
  const plugin = join(programs, 'session-manager-plugin')
  writeFileSync(plugin, `#!/bin/sh\nexec ${process.execPath} ${resolve('e2e/exec-plugin.ts')} "$@"\n`)
  chmodSync(plugin, 0o755)
  bare = await importBare()
})
afterAll(async () => {
  rmSync(programs, { recursive: true })
  await one.end()
})

/** An image of one static program that is no shell. */
async function importBare(): Promise<string> {
  const reference = `localhost:${one.world.berth.port}/bare:1`
  const host = await one.world.berthCommand('docker-host', one.instanceId)
  const root = join(programs, 'bare')
  const script = `mkdir ${root} && cp $(command -v busybox) ${root}/sleep && tar -C ${root} -c . | docker -H ${host} import - ${reference}`
  await ended(spawn('sh', ['-c', script], { stdio: 'ignore' }))
  return reference
}

async function run(container: Partial<ContainerDefinition> = {}, enableExecuteCommand = true): Promise<Task> {
  const { world, cluster } = one
  const family = `exec-${Math.random().toString(36).slice(2)}`
  const taskRoleArn = 'arn:aws:iam::000000000000:role/exec'
  await world.register(family, { image: one.image, command: asleep, ...container }, { taskRoleArn })
  const { tasks, failures } = await world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition: family, enableExecuteCommand }),
  )
  const arn = tasks?.[0]?.taskArn
  if (arn === undefined) throw new Error(JSON.stringify(failures))
  return one.at(arn, 'RUNNING')
}

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${programs}:${process.env['PATH']}`,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: one.world.berth.url,
  AWS_PAGER: '',
})

interface Ended {
  readonly out: string
  readonly error: string
  readonly code: number | null
}

function ended(child: ChildProcess): Promise<Ended> {
  let [out, error] = ['', '']
  child.stdout?.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr?.on('data', (bytes: Buffer) => (error += bytes.toString()))
  return new Promise((done) => child.once('close', (code) => done({ out, error, code })))
}

/** A program whose output is waited for and whose input is written. */
class Dialogue {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  out = ''

  constructor(command: string, words: readonly string[]) {
    this.child = spawn(command, words, { env: environment(), stdio: 'pipe' })
    this.child.stdout?.on('data', (bytes: Buffer) => (this.out += bytes.toString()))
    this.ended = ended(this.child)
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  async shows(pattern: RegExp): Promise<void> {
    const shown = eventually(String(pattern), async () => pattern.test(this.out))
    await shown.catch((cause: unknown) => {
      throw new Error(`${String(pattern)} is not shown, but ${JSON.stringify(this.out)}`, { cause })
    })
  }
}

const awsExec = (task: Task, command: string): Dialogue =>
  new Dialogue('/usr/bin/aws', [
    '--endpoint-url',
    one.world.berth.url,
    'ecs',
    'execute-command',
    '--cluster',
    one.cluster,
    '--task',
    task.taskArn ?? '',
    '--interactive',
    '--command',
    command,
  ])
const berthExec = (task: Task, ...words: readonly string[]): Dialogue =>
  new Dialogue('./berth', ['exec', '--cluster', one.cluster, task.taskArn ?? '', '--', ...words])
/** `berth exec` on a terminal of 77 by 33. */
const berthOnTerminal = (task: Task, ...words: readonly string[]): Dialogue =>
  new Dialogue('script', [
    '-qefc',
    `stty cols 77 rows 33; exec ./berth exec --cluster ${one.cluster} ${task.taskArn} -- ${words.join(' ')}`,
    '/dev/null',
  ])

test('a task shows its execute command agent running', async () => {
  const task = await run({ stopTimeout: 2 })
  expect(task.enableExecuteCommand).toBe(true)
  expect(task.containers?.[0]?.managedAgents).toEqual([
    {
      name: 'ExecuteCommandAgent',
      lastStatus: 'RUNNING',
      lastStartedAt: expect.any(Date),
      reason: 'ExecuteCommandAgent started',
    },
  ])
  const stopped = await one.stop(task.taskArn ?? '')
  expect(stopped.containers?.[0]?.managedAgents?.[0]).toMatchObject({ lastStatus: 'STOPPED' })
})

test('a task without execute command has neither agent nor toolbox, and is refused', async () => {
  const task = await run({}, false)
  expect(task.containers?.[0]?.managedAgents).toBeUndefined()
  const { Mounts } = (await one.inspect(task)) as unknown as { readonly Mounts: readonly unknown[] }
  expect(JSON.stringify(Mounts)).not.toContain('ecs-execute-command')
  await expect(
    one.world.ecs.send(
      new ExecuteCommandCommand({
        cluster: one.cluster,
        task: task.taskArn,
        command: 'sh',
        interactive: true,
      }),
    ),
  ).rejects.toThrow(/execute command was not enabled when the task was run/)
})

test('the AWS CLI opens a shell, with size, Ctrl-C and two sessions at once', async () => {
  const task = await run({
    user: '1000',
    workingDirectory: '/tmp',
    environment: [{ name: 'OF', value: 'task' }],
  })
  const [shell, other] = [awsExec(task, '/bin/sh'), awsExec(task, 'sh -c "echo other; cat"')]
  await shell.shows(/Starting session with SessionId: ecs-execute-command-[0-9a-f]{17}/)
  await other.shows(/other\r\n/)
  shell.type('echo $(id -u) $PWD $OF $TERM; stty size\r')
  await shell.shows(/0 \/tmp task xterm-256color\r\n100 300\r\n/)
  shell.type('sleep 100; echo interrupted $?\r')
  await shell.shows(/interrupted/)
  shell.type('\u0003')
  await eventually('the shell prompts again', async () => {
    shell.type('echo $((40 + 2))\r')
    return /\n42\r\n/.test(shell.out)
  })
  other.type('\u0004')
  expect((await other.ended).out).toMatch(/Exiting session with sessionId: ecs-execute-command-/)
  shell.type('exit 7\r')
  expect(await shell.ended).toMatchObject({ code: 0 })
})

test('much output arrives whole', async () => {
  const task = await run()
  const { out } = await awsExec(task, 'seq -w 20000').ended
  const lines = out.split(/\r?\n/).filter((line) => /^\d{5}$/.test(line))
  expect(lines).toHaveLength(20_000)
  expect(lines.at(-1)).toBe('20000')
})

test('berth exec passes input, both outputs and the exit status where there is no terminal', async () => {
  const task = await run({ readonlyRootFilesystem: true })
  const piped = berthExec(task, 'sh', '-c', 'cat; echo "it\'s wrong" >&2; exit 3')
  piped.type('one\ntwo\u0000\n')
  piped.child.stdin?.end()
  expect(await piped.ended).toEqual({ out: 'one\ntwo\u0000\n', error: "it's wrong\n", code: 3 })
})

test('berth exec opens the shell of the toolbox in a read-only container without one', async () => {
  const task = await run({ image: bare, command: ['/sleep', '600'], readonlyRootFilesystem: true })
  const shell = berthOnTerminal(task, '/bin/sh')
  await shell.shows(/# /)
  shell.type('stty size; ls / | tr "\\n" " "; touch /x\r')
  await shell.shows(/33 77\r\n/)
  await shell.shows(/sleep sys/)
  await shell.shows(/Read-only file system/)
  shell.type('exit 5\r')
  expect((await shell.ended).code).toBe(5)
  expect(await berthExec(task, 'nothing').ended).toEqual({
    out: '',
    error:
      'Unable to start command: Failed to start pty: exec: "nothing": executable file not found in $PATH\n',
    code: 127,
  })
})

test('a session ends with its container', async () => {
  const task = await run({ stopTimeout: 2 })
  const running = async (): Promise<string> => one.docker('top', task.containers?.[0]?.runtimeId ?? '')
  const session = berthOnTerminal(task, 'sleep', '12345')
  await eventually('the command runs', async () => (await running()).includes('12345'))
  await one.stop(task.taskArn ?? '')
  expect((await session.ended).code).toBe(137)
})

test('berth exec finds a task of a service, and says what is wrong', async () => {
  const { world, cluster } = one
  const serviceName = 'shop'
  const containerDefinition = { image: one.image, command: asleep }
  await world.register('shop', containerDefinition, { taskRoleArn: 'arn:aws:iam::000000000000:role/exec' })
  const exec = (...words: readonly string[]): Promise<Ended> =>
    new Dialogue('./berth', ['exec', '--cluster', cluster, serviceName, '--', ...words]).ended
  expect(await exec('true')).toMatchObject({ code: 1, error: expect.stringContaining('ServiceNotFound') })
  await world.ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName,
      taskDefinition: 'shop',
      desiredCount: 1,
      enableExecuteCommand: true,
    }),
  )
  await eventually('a command runs', async () => (await exec('hostname')).code === 0)
  expect(await exec('sh', '-c', 'exit 9')).toMatchObject({ code: 9 })
  await world.ecs.send(new DeleteServiceCommand({ cluster, service: serviceName, force: true }))
})

test('sessions end cleanly with the control plane, and new ones can be had after it', async () => {
  const task = await run()
  const session = awsExec(task, 'sleep 12345')
  await session.shows(/Starting session/)
  const runs = async (): Promise<boolean> =>
    (await one.docker('top', task.containers?.[0]?.runtimeId ?? '')).includes('12345')
  await eventually('the command runs', runs)
  const gone = new Promise((done) => one.world.berth.process.once('exit', done))
  one.world.berth.process.kill('SIGTERM')
  await gone
  expect((await session.ended).out).toContain('The control plane is stopping.')
  await one.world.restart()
  await eventually('the command is gone', async () => !(await runs()))
  await eventually('a command runs', async () => (await berthExec(task, 'true').ended).code === 0)
})
