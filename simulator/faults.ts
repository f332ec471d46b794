/** What goes wrong in a run, and the timers that make it. */
import type { RuntimeFaults } from './host.ts'
import type { NetworkFaults } from './network.ts'
import type { OutsideFaults } from './outside.ts'
import type { World } from './world.ts'

/** Mean times are in milliseconds of simulated time; absent, it does not happen. */
export interface Faults {
  readonly network?: NetworkFaults
  readonly runtime?: RuntimeFaults
  readonly controlPlaneCrashMeanMs?: number
  /** Probability that the control plane dies with a write to its journal, just before or just after it. */
  readonly crashAtWrite?: number
  readonly agentCrashMeanMs?: number
  /** How long a killed agent stays away at most; 20 seconds by default. */
  readonly agentDownMsMax?: number
  readonly hostLossMeanMs?: number
  readonly containerDeathMeanMs?: number
  /** A container with a health check becomes unhealthy. */
  readonly healthLossMeanMs?: number
  readonly runtimeRestartMeanMs?: number
  readonly connectionLossMeanMs?: number
  /** Somebody sets the clock of a machine, of the control plane's or of an agent's, up to `clockJumpMsMax` wrong. */
  readonly clockJumpMeanMs?: number
  readonly clockJumpMsMax?: number
  /** How what deployments ask of the world goes wrong. */
  readonly outside?: OutsideFaults
  /** Probability that a call of the instance provider fails, before or after it took effect. */
  readonly providerFailure?: number
}

/** Lets happen, again and again while the world is faulty, what happens at any time. */
export function armFaults(world: World, faults: Faults): void {
  const { chance, clock } = world
  const again = (meanMs: number | undefined, act: () => void): void => {
    if (meanMs === undefined) return
    const wait = -Math.log(1 - chance.fraction()) * meanMs
    clock.at(clock.now() + wait, () => {
      if (!world.faulty) return
      act()
      again(meanMs, act)
    })
  }
  again(faults.controlPlaneCrashMeanMs, () => world.crashControlPlane('at any time'))
  again(faults.connectionLossMeanMs, () => world.network.breakConnections(() => chance.happens(0.5)))
  again(faults.agentCrashMeanMs, () => {
    const host = chance.oneOf(upHosts(world))
    world.note(`the agent of ${host?.instanceId} is killed`)
    host?.crashAgent(chance.between(100, faults.agentDownMsMax ?? 20_000))
  })
  again(faults.hostLossMeanMs, () => {
    const host = chance.oneOf(upHosts(world))
    if (!host) return
    world.loseHost(host).catch((error: unknown) => world.fail(error))
    if (!world.provider) world.addHost(host).catch((error: unknown) => world.fail(error))
  })
  again(faults.containerDeathMeanMs, () => killContainer(world))
  again(faults.healthLossMeanMs, () => {
    const host = chance.oneOf(upHosts(world))
    const container = chance.oneOf((host?.running() ?? []).filter(({ health }) => health))
    if (!container) return
    world.note(`a container of ${container.labels['com.amazonaws.ecs.task-arn']} becomes unhealthy`)
    host?.setHealth(container.id, 'unhealthy')
  })
  again(faults.runtimeRestartMeanMs, () => {
    const host = chance.oneOf(upHosts(world))
    if (!host?.runtime.isUp) return
    world.note(`the container runtime of ${host.instanceId} restarts`)
    host.runtime.goDown(chance.happens(0.5))
    clock.at(clock.now() + chance.between(100, 10_000), () => {
      if (host.up) host.runtime.comeUp()
    })
  })
  again(faults.clockJumpMeanMs, () => setClock(world, faults.clockJumpMsMax ?? 0))
}

function upHosts(world: World): World['hosts'] {
  return world.hosts.filter((host) => host.up)
}

function killContainer(world: World): void {
  const { chance } = world
  const host = chance.oneOf(upHosts(world))
  const container = chance.oneOf(host?.running() ?? [])
  if (!host?.runtime.isUp || !container) return
  world.note(`a container of ${container.labels['com.amazonaws.ecs.task-arn']} dies`)
  const memory = chance.happens(0.5)
  host.runtime.exit(container.id, memory ? 137 : 1, memory)
}

/** Half of the time it is the control plane's; now and then it is set right. */
function setClock(world: World, wrongMsMax: number): void {
  const { chance } = world
  const aheadMs = chance.happens(0.3) ? 0 : Math.round(chance.between(-wrongMsMax, wrongMsMax))
  const host = chance.happens(0.5) ? undefined : chance.oneOf(upHosts(world))
  const [whose, clock] = host ? [host.instanceId, host.time] : ['the control plane', world.time]
  world.note(`the clock of ${whose} jumps by ${aheadMs - clock.aheadMs} ms`)
  clock.aheadMs = aheadMs
}
