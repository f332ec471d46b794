import { accessSync, constants, mkdirSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Clock, sleep } from '@berth/std/clock.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import type { Instance } from '#domain/instance.ts'
import type { InstanceProvider, InstanceSpec } from '#engines/instance-lifecycle.ts'
import type { NetworkMember, TaskRoutes } from '#engines/task-routes.ts'
import { describe, isBooted, startInit } from './instance-provider-boot.ts'
import {
  destroyInstance,
  haltInstance,
  hasTraces,
  type Installation,
  installationOf,
  instanceDirectory,
  instancesOf,
  networkFile,
  publishNames,
  readRecord,
  removeLeftovers,
  requireCgroups,
  runningInit,
  signal,
  sweep,
  writeRecord,
} from './instance-provider-host.ts'
import { chooseGateway, makeBridge } from './instance-provider-network.ts'
import { routeToMembers } from './instance-provider-routes.ts'

export interface EmbeddedInstancesOptions {
  /** The installation's directory; instances live in `instances` in it. */
  readonly directory: string
  /** The port of the control plane, on the gateway's address as on loopback, and the port of image references. */
  readonly port: number
  readonly clock: Clock
  readonly log: (text: string) => void
  /** Called once, when the gateway's address is there and before any instance runs: listen on it. */
  readonly onGateway: (gatewayAddress: string) => Promise<void>
}

export interface EmbeddedInstances extends InstanceProvider {
  /**
   * Removes what a control plane that was killed left of instances that are no more. When there are instances, also makes
   * the bridge they share, so that their agents find this control plane at the gateway's address. Call it first.
   */
  recover(): Promise<void>
  /** Leads this machine to tasks' addresses. */
  readonly routes: TaskRoutes
}

const shutDownWithinMs = 20_000
/** How long one call waits for a shutdown before it says that it is under way. */
const shutDownLookMs = 2_000
const pollMs = 10

/** Instances as hosts inside this one: Linux, root and Docker's daemon are needed. */
export function embeddedInstances(options: EmbeddedInstancesOptions): EmbeddedInstances {
  const { directory, port, clock, log } = options
  mkdirSync(directory, { recursive: true })
  const installation = installationOf(directory)
  const bridge = sharedBridge(installation, options)
  const { shutDown, forget } = shutDowns(installation, clock)
  const turnOf = turnsByInstance()

  const launch = async (spec: InstanceSpec): Promise<void> => {
    requireType(spec)
    // From here on the instance counts as there, so that the bridge is not taken away under it.
    mkdirSync(instanceDirectory(installation, spec.instance.instanceId), { recursive: true, mode: 0o711 })
    const { gatewayAddress } = await bridge.prepare()
    await startInit(installation, describe(installation, spec, gatewayAddress, port), gatewayAddress, clock)
  }
  const leaveNothing = async (instanceId: string): Promise<void> => {
    await destroyInstance(installation, instanceId, clock)
    forget(instanceId)
    publishNames(installation, log)
    await bridge.removeUnused()
  }
  const undoLaunch = ({ instanceId, bootSeen }: Instance): Promise<void> =>
    bootSeen > 0 ? haltInstance(installation, instanceId, clock) : leaveNothing(instanceId)

  const run = async (spec: InstanceSpec): Promise<'running' | 'pending' | 'gone'> => {
    const { instanceId, boot, bootSeen } = spec.instance
    if (bootSeen > 0 && !instancesOf(installation).includes(instanceId)) return 'gone'
    const init = runningInit(installation, instanceId)
    if (init?.boot === boot && bootSeen === boot) {
      await bridge.prepare()
      return 'running'
    }
    if (init && init.boot !== boot && !(await shutDown(instanceId))) return 'pending'
    try {
      if (init?.boot === boot) await bridge.prepare()
      else await launch(spec)
      forget(instanceId)
      if (!(await isBooted(installation, instanceId, clock))) return 'pending'
    } catch (error) {
      // What resists stays with the instance's directory, and is removed when the provider is next asked what it has.
      await undoLaunch(spec.instance).catch((left: unknown) => log(`${instanceId}: ${String(left)}`))
      throw error
    }
    publishNames(installation, log)
    return 'running'
  }

  return {
    recover: () => bridge.recover(),
    routes: { set: bridge.route },
    observe: () => Promise.resolve(instancesOf(installation)),
    run: (spec) => turnOf(spec.instance.instanceId)(() => run(spec)),

    stop: (instanceId) =>
      turnOf(instanceId)(async () => {
        if (!(await shutDown(instanceId))) return 'stopping'
        await haltInstance(installation, instanceId, clock)
        forget(instanceId)
        return 'stopped'
      }),

    terminate: (instanceId) =>
      turnOf(instanceId)(async () => {
        if (!(await shutDown(instanceId))) return 'shutting-down'
        await leaveNothing(instanceId)
        return 'terminated'
      }),
  }
}

type InTurn = <T>(work: () => Promise<T>) => Promise<T>

/** Does one thing after the other, in the order asked. */
function oneAtATime(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}

/** What is asked of one instance is done in turn; instances do not wait for each other. */
function turnsByInstance(): (instanceId: string) => InTurn {
  const turns = new Map<string, { readonly inTurn: InTurn; waiting: number }>()
  return (instanceId) => async (work) => {
    const own = turns.get(instanceId) ?? { inTurn: oneAtATime(), waiting: 0 }
    turns.set(instanceId, own)
    own.waiting++
    try {
      return await own.inTurn(work)
    } finally {
      if (--own.waiting === 0) turns.delete(instanceId)
    }
  }
}

/** The bridge that all instances are on: made before the first, removed after the last, one thing after the other. */
function sharedBridge(
  installation: Installation,
  { onGateway, clock, log }: Pick<EmbeddedInstancesOptions, 'onGateway' | 'clock' | 'log'>,
) {
  let prepared: Promise<{ gatewayAddress: string }> | undefined
  let listening = ''
  const inTurn = oneAtATime()
  const make = async (): Promise<{ gatewayAddress: string }> => {
    requireHost()
    const gatewayAddress = gatewayOf(installation)
    await makeBridge(installation.id, gatewayAddress)
    if (listening !== gatewayAddress) await onGateway(gatewayAddress)
    listening = gatewayAddress
    return { gatewayAddress }
  }
  const prepare = (): Promise<{ gatewayAddress: string }> => {
    prepared ??= inTurn(make).catch((error: unknown) => {
      prepared = undefined
      throw error
    })
    return prepared
  }
  return {
    prepare,
    async recover(): Promise<void> {
      await inTurn(async () => {
        if (!hasTraces(installation)) return
        requireHost()
        await sweep(installation, clock, log)
      })
      if (instancesOf(installation).length > 0) await prepare()
    },
    /** In turn with the bridge's coming and going. */
    route: (members: readonly NetworkMember[]): Promise<boolean> =>
      inTurn(async () => {
        if (prepared === undefined) return false
        return routeToMembers(installation.id, gatewayOf(installation), members)
      }),
    /** An instance that has come meanwhile keeps the bridge, and one that comes while it is removed waits its turn. */
    removeUnused: () =>
      inTurn(async () => {
        if (instancesOf(installation).length > 0) return
        prepared = undefined
        await removeLeftovers(installation)
      }),
  }
}

/** Asks an instance's init to shut down, and after a while no longer asks. */
function shutDowns(installation: Installation, clock: Clock) {
  const askedAt = new Map<string, number>()
  return {
    /** True once the init does not run, or has had its time. */
    shutDown: async (instanceId: string): Promise<boolean> => {
      const init = runningInit(installation, instanceId)
      if (init === undefined) return true
      const since = askedAt.get(instanceId) ?? clock.now()
      if (!askedAt.has(instanceId)) signal(init.pid, 'SIGTERM')
      askedAt.set(instanceId, since)
      const until = clock.now() + shutDownLookMs
      while (clock.now() < until && runningInit(installation, instanceId)) await sleep(clock, pollMs)
      return !runningInit(installation, instanceId) || clock.now() - since > shutDownWithinMs
    },
    forget: (instanceId: string): void => void askedAt.delete(instanceId),
  }
}

/** The gateway's address stays the same as long as there are instances, which are told it when they boot. */
function gatewayOf({ id, instancesDirectory }: Installation): string {
  const file = join(instancesDirectory, networkFile)
  const known = readRecord<{ readonly gatewayAddress: string }>(file)
  if (known !== undefined) return known.gatewayAddress
  const gatewayAddress = chooseGateway(id)
  mkdirSync(instancesDirectory, { recursive: true, mode: 0o711 })
  writeRecord(file, { gatewayAddress })
  return gatewayAddress
}

function requireHost(): void {
  if (platform() !== 'linux')
    throw new Error('instances on this machine need Linux; join Linux machines with `berth join` instead')
  if (process.getuid?.() !== 0) throw new Error('instances need root: start the control plane with sudo')
  const packages = {
    dockerd: 'docker.io',
    containerd: 'containerd',
    ip: 'iproute2',
    iptables: 'iptables',
    nsenter: 'util-linux',
    nft: 'nftables',
  }
  for (const [program, name] of Object.entries(packages))
    if (!isInstalled(program))
      throw new Error(`${program} is not installed: install it (apt-get install ${name}) and launch again`)
  requireCgroups()
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function requireType({ instance: { instanceType } }: InstanceSpec): void {
  const wanted = instanceTypes.get(instanceType)?.architecture
  const own = arch() === 'arm64' ? 'arm64' : 'x86_64'
  if (wanted !== own)
    throw new Error(`${instanceType} is an ${wanted} machine and this one is ${own}: choose a type of ${own}`)
}
