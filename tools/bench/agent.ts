import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { CreateServiceCommand, DescribeServicesCommand } from '@aws-sdk/client-ecs'
import { processesOf } from '@berth/e2e/host-processes.ts'
import { World } from '@berth/e2e/world.ts'
import { figure } from './figure.ts'

/** What an agent costs whose host runs 50 containers that do nothing, telemetry included, and what it costs Docker. */
const containers = 50
const settleMs = 15_000
const measuredMs = 60_000
const compiledMs = 15_000
/** The kernel counts processor time in hundredths of a second. */
const ticksASecond = 100

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond
}

function residentMB(pid: number): number {
  const [, kB = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kB) / 1000
}

const world = await World.start()
try {
  const image = await world.push('bench')
  // Of the first agent of all Node.js compiles the code, which costs it 30 MB for good; it keeps that for the others.
  await world.cluster('warm-up', 1, 't3.nano')
  await wait(compiledMs)
  await world.cluster('bench', 0)
  const [instanceId = ''] = await world.launch('bench', 1, 't3.xlarge')
  await world.register('idle', { image, command: ['sleep', '86400'], memory: 16, stopTimeout: 2 })
  await world.ecs.send(
    new CreateServiceCommand({
      cluster: 'bench',
      serviceName: 'idle',
      taskDefinition: 'idle',
      desiredCount: containers,
    }),
  )
  for (;;) {
    const { services } = await world.ecs.send(
      new DescribeServicesCommand({ cluster: 'bench', services: ['idle'] }),
    )
    if (services?.[0]?.runningCount === containers) break
    await wait(200)
  }
  await wait(settleMs)
  const { agent, dockerd } = processesOf(world.berth.directory, instanceId)
  if (agent === undefined || dockerd === undefined) throw new Error('the instance has no agent or no Docker')
  const before = { agent: cpuSeconds(agent), dockerd: cpuSeconds(dockerd) }
  await wait(measuredMs)
  const percent = (used: number): number => (used / (measuredMs / 1000)) * 100
  figure('agent.idle.resident', residentMB(agent), 'MB', { containers })
  figure('agent.idle.cpu', percent(cpuSeconds(agent) - before.agent), '% of a core', { containers })
  figure('agent.idle.dockerd-cpu', percent(cpuSeconds(dockerd) - before.dockerd), '% of a core', {
    containers,
  })
} finally {
  await world.end()
}
