import { spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { arch, platform } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { InstanceDescription } from '@berth/instance/description.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { instanceRole, instanceRoleName } from '#domain/instance.ts'
import type { InstanceProvider, InstanceSpec } from '#engines/instance-lifecycle.ts'
import { makeCgroup } from './instance-provider-cgroup.ts'
import {
  destroyInstance,
  haltInstance,
  type Installation,
  installationOf,
  instanceDirectory,
  instancesOf,
  networkFile,
  publishNames,
  removeLeftovers,
  requireCgroups,
  runDirectoryOf,
  runningInit,
} from './instance-provider-host.ts'
import { chooseGateway, joinNetwork, makeBridge, namespaceName } from './instance-provider-network.ts'

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
  /** Makes the bridge that instances share, and says the host's address on it. Throws when this machine cannot have it. */
  prepare(): Promise<{ gatewayAddress: string }>
  /** Whether instances are there from before, so that `prepare` is due at the start. */
  readonly hasInstances: () => boolean
}

const shutDownWithinMs = 20_000
/** How long one call waits for a shutdown before it says that it is under way. */
const shutDownLookMs = 2_000
const readyWithinMs = 10_000
const pollMs = 10

/** Instances as hosts inside this one: Linux, root and Docker's daemon are needed. */
export function embeddedInstances(options: EmbeddedInstancesOptions): EmbeddedInstances {
  const { directory, port, clock, log } = options
  mkdirSync(directory, { recursive: true })
  const installation = installationOf(directory)
  const bridge = sharedBridge(installation, options.onGateway)
  const { shutDown, forget } = shutDowns(installation, clock)

  return {
    prepare: () => bridge.prepare(),
    hasInstances: () => instancesOf(installation).length > 0,
    observe: () => Promise.resolve(instancesOf(installation)),

    async run(spec) {
      const { instanceId, boot, bootSeen } = spec.instance
      if (bootSeen > 0 && !instancesOf(installation).includes(instanceId)) return 'gone'
      const init = runningInit(installation, instanceId)
      if (init?.boot === boot) {
        await bridge.prepare()
        return 'running'
      }
      if (init && !(await shutDown(instanceId))) return 'pending'
      forget(instanceId)
      requireType(spec)
      // From here on the instance counts as there, so that the bridge is not taken away under it.
      mkdirSync(instanceDirectory(installation, instanceId), { recursive: true, mode: 0o711 })
      const { gatewayAddress } = await bridge.prepare()
      await bootInit(installation, describe(installation, spec, gatewayAddress, port), gatewayAddress, clock)
      publishNames(installation, log)
      return 'running'
    },

    async stop(instanceId) {
      if (!(await shutDown(instanceId))) return 'stopping'
      await haltInstance(installation, instanceId, clock)
      forget(instanceId)
      return 'stopped'
    },

    async terminate(instanceId) {
      if (!(await shutDown(instanceId))) return 'shutting-down'
      await destroyInstance(installation, instanceId, clock)
      forget(instanceId)
      publishNames(installation, log)
      await bridge.removeUnused()
      return 'terminated'
    },
  }
}

/** The bridge that all instances are on: made before the first, removed after the last, one thing after the other. */
function sharedBridge(installation: Installation, onGateway: EmbeddedInstancesOptions['onGateway']) {
  let prepared: Promise<{ gatewayAddress: string }> | undefined
  let listening = ''
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
  const make = async (): Promise<{ gatewayAddress: string }> => {
    requireHost()
    const gatewayAddress = gatewayOf(installation)
    await makeBridge(installation.id, gatewayAddress)
    if (listening !== gatewayAddress) await onGateway(gatewayAddress)
    listening = gatewayAddress
    return { gatewayAddress }
  }
  return {
    prepare(): Promise<{ gatewayAddress: string }> {
      prepared ??= inTurn(make).catch((error: unknown) => {
        prepared = undefined
        throw error
      })
      return prepared
    },
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
      if (!askedAt.has(instanceId)) process.kill(init.pid, 'SIGTERM')
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
  if (existsSync(file))
    return (JSON.parse(readFileSync(file, 'utf8')) as { gatewayAddress: string }).gatewayAddress
  const gatewayAddress = chooseGateway(id)
  mkdirSync(instancesDirectory, { recursive: true, mode: 0o711 })
  writeFileSync(file, JSON.stringify({ gatewayAddress }))
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

/** Starts the instance's init in its own network and cgroup, detached, and waits until it serves instance metadata. */
async function bootInit(
  installation: Installation,
  description: InstanceDescription,
  gatewayAddress: string,
  clock: Clock,
): Promise<void> {
  const { instanceId, directory, runDirectory } = description
  // What an init that was killed left behind must not stand in the way of the next.
  await haltInstance(installation, instanceId, clock)
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'instance.json')
  writeFileSync(file, JSON.stringify(description, null, 2), { mode: 0o600 })
  const processes = makeCgroup(requireCgroups(), `${installation.cgroup}/${instanceId}`, description)
  await joinNetwork(installation.id, gatewayAddress, description)

  const output = openSync(join(directory, 'instance.log'), 'a', 0o600)
  const namespace = `/run/netns/${namespaceName(installation.id, instanceId)}`
  const main = fileURLToPath(import.meta.resolve('@berth/instance/main.ts'))
  const script =
    'echo $$ > "$0" && exec nsenter --net="$1" "$2" --max-old-space-size=64 --max-semi-space-size=1 "$3" "$4"'
  const child = spawn('/bin/sh', ['-c', script, processes, namespace, process.execPath, main, file], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: '/',
  })
  closeSync(output)
  let ended = false
  child.on('error', () => (ended = true))
  child.on('exit', () => (ended = true))
  child.unref()
  writeFileSync(join(runDirectory, 'init.json'), JSON.stringify({ pid: child.pid, boot: description.boot }))

  const until = clock.now() + readyWithinMs
  while (!existsSync(join(runDirectory, 'ready'))) {
    if (ended || clock.now() > until)
      throw new Error(`the instance does not boot; its log is ${join(directory, 'instance.log')}`)
    await sleep(clock, pollMs)
  }
}

function describe(
  installation: Installation,
  { instance, vpc, subnet, securityGroups, vcpu, memoryMiB, accessKey }: InstanceSpec,
  gatewayAddress: string,
  port: number,
): InstanceDescription {
  const { instanceId, keyName, userData, publicIpAddress, publicDnsName } = instance
  const { instanceProfileArn, instanceProfileId } = instanceRole(instance)
  return {
    instanceId,
    accountId: instance.accountId,
    region: instance.region,
    availabilityZone: instance.availabilityZone,
    availabilityZoneId: subnet.availabilityZoneId,
    imageId: instance.imageId,
    instanceType: instance.instanceType,
    reservationId: instance.reservationId,
    launchIndex: instance.launchIndex,
    launchTime: instance.launchTime,
    boot: instance.boot,
    vpcId: vpc.vpcId,
    vpcCidrBlock: vpc.cidrBlock,
    subnetId: subnet.subnetId,
    subnetCidrBlock: subnet.cidrBlock,
    networkInterfaceId: instance.networkInterfaceId,
    macAddress: instance.macAddress,
    privateIpAddress: instance.privateIpAddress,
    privateDnsName: instance.privateDnsName,
    ...(publicIpAddress !== undefined && { publicIpAddress }),
    ...(publicDnsName !== undefined && { publicDnsName }),
    securityGroups: securityGroups.map(({ groupId, groupName }) => ({ groupId, groupName })),
    ...(keyName !== undefined && { keyName }),
    ...(userData !== undefined && { userData }),
    httpTokens: instance.metadataOptions.httpTokens,
    role: {
      name: instanceRoleName,
      instanceProfileArn: instance.iamInstanceProfileArn ?? instanceProfileArn,
      instanceProfileId,
      accessKeyId: accessKey.accessKeyId,
      secretAccessKey: accessKey.secretAccessKey,
      sessionToken: accessKey.sessionToken ?? '',
    },
    vcpu,
    memoryMiB,
    controlPlaneUrl: `http://${gatewayAddress}:${port}`,
    registryPort: port,
    directory: instanceDirectory(installation, instanceId),
    runDirectory: runDirectoryOf(installation, instanceId),
    cgroupParent: `${installation.cgroup}/${instanceId}/containers`,
  }
}
