import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CreateServiceCommand, DescribeServicesCommand } from '@aws-sdk/client-ecs'
import { World } from '@berth/e2e/world.ts'
import { figure } from './figure.ts'

/**
 * How long 20 replicas take from nothing to RUNNING: by a Berth service, by plain `docker run` 4 at a time, and by a
 * Docker Swarm service, one after the other on the same Docker Engine settings and the same image.
 */
const replicas = 20
const runsAtATime = 4
const execute = promisify(execFile)
const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']
const memoryMiB = 16

const since = (started: number): number => (performance.now() - started) / 1000

async function berthSeconds(): Promise<number> {
  const world = await World.start()
  const image = await world.push('bench')
  await world.cluster('bench', 1, 't3.medium')
  await world.register('bench', { image, command, memory: memoryMiB })
  await serviceSeconds(world, 'warm-up', 1)
  const seconds = await serviceSeconds(world, 'bench', replicas)
  await world.end()
  return seconds
}

async function serviceSeconds(world: World, serviceName: string, desiredCount: number): Promise<number> {
  const started = performance.now()
  await world.ecs.send(
    new CreateServiceCommand({ cluster: 'bench', serviceName, taskDefinition: 'bench', desiredCount }),
  )
  for (;;) {
    const { services } = await world.ecs.send(
      new DescribeServicesCommand({ cluster: 'bench', services: [serviceName] }),
    )
    if (services?.[0]?.runningCount === desiredCount) return since(started)
    await wait(20)
  }
}

/** An engine of its own with an image, for the two references. */
async function withEngine(
  measure: (docker: (...words: string[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  const host = `unix://${directory}/docker.sock`
  const files = [
    '--data-root',
    `${directory}/data`,
    '--exec-root',
    `${directory}/run`,
    '--pidfile',
    `${directory}/pid`,
  ]
  // In a network of its own, whose bridges and rules go with it.
  const dockerd = ['dockerd', '-H', host, ...files, '--bip', '10.218.0.1/16']
  const engine = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...dockerd], {
    stdio: 'ignore',
  })
  const docker = async (...words: string[]): Promise<string> => {
    const { stdout } = await execute('docker', ['-H', host, ...words])
    return stdout.trim()
  }
  try {
    for (let tries = 0; tries < 100 && spawnSync('docker', ['-H', host, 'info']).status !== 0; tries++)
      await wait(100)
    const root = join(directory, 'root')
    execFileSync('sh', [
      '-c',
      `mkdir -p ${root}/bin && cp "$(command -v busybox)" ${root}/bin/busybox && for a in sh sleep; do ln -s busybox ${root}/bin/$a; done &&
       tar -C ${root} -c . | docker -H ${host} import - busybox:bench`,
    ])
    await measure(docker)
  } finally {
    const ended = new Promise((resolve) => engine.once('exit', resolve))
    engine.kill('SIGTERM')
    await ended
    spawnSync('sh', ['-c', `umount ${directory}/data/* ${directory}/run/netns/* 2>/dev/null`], {
      stdio: 'ignore',
    })
    rmSync(directory, { recursive: true, force: true })
  }
}

const run = (docker: (...words: string[]) => Promise<string>): Promise<string> =>
  docker('run', '-d', '--memory', `${memoryMiB}m`, 'busybox:bench', ...command)

const berth = await berthSeconds()
figure('launch.berth', berth, 's', { replicas })
await withEngine(async (docker) => {
  await run(docker)
  const started = performance.now()
  let left = replicas
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run(docker)
  }
  await Promise.all(Array.from({ length: runsAtATime }, worker))
  const plain = since(started)
  figure('launch.docker-run', plain, 's', { replicas, atATime: runsAtATime })
  figure('launch.berth-to-docker-run', berth / plain, 'ratio')
  await docker('rm', '-f', ...(await docker('ps', '-aq')).split('\n'))

  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1', '--listen-addr', '127.0.0.1')
  const service = (name: string, count: number): Promise<string> =>
    docker(
      'service',
      'create',
      '-d',
      '--name',
      name,
      '--replicas',
      String(count),
      '--limit-memory',
      `${memoryMiB}M`,
      '--network',
      'bridge',
      'busybox:bench',
      ...command,
    )
  const running = async (name: string): Promise<number> =>
    (
      await docker(
        'service',
        'ps',
        '--filter',
        'desired-state=running',
        '--format',
        '{{.CurrentState}}',
        name,
      )
    )
      .split('\n')
      .filter((state) => state.startsWith('Running')).length
  await service('warm-up', 1)
  while ((await running('warm-up')) < 1) await wait(20)
  const swarmStarted = performance.now()
  await service('bench', replicas)
  while ((await running('bench')) < replicas) await wait(20)
  figure('launch.swarm', since(swarmStarted), 's', { replicas })
  await docker('service', 'rm', 'bench', 'warm-up')
  await docker('swarm', 'leave', '--force')
  const remaining = (await docker('ps', '-aq')).split('\n').filter((id) => id !== '')
  if (remaining.length > 0) await docker('rm', '-f', ...remaining)
})
