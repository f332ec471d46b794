// One boot of an embedded instance: its files, cgroup and network, and its init.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { InstanceDescription } from '@berth/instance/description.ts'
import { instanceRole } from '#domain/instance.ts'
import type { InstanceSpec } from '#engines/instance-lifecycle.ts'
import { makeCgroup } from './instance-provider-cgroup.ts'
import {
  haltInstance,
  type InitRecord,
  type Installation,
  instanceDirectory,
  requireCgroups,
  runDirectoryOf,
  runningInit,
  writeRecord,
} from './instance-provider-host.ts'
import { joinNetwork, namespaceName } from './instance-provider-network.ts'

/** On a machine of two cores under load, an init has been seen to need ten seconds. */
const bootWithinMs = 30_000
/** How long one call waits for a boot before it says that it is under way. */
const bootLookMs = 2_000
const pollMs = 5
const logTail = { lines: 3, characters: 600 }

/** Starts the instance's init in its own network and cgroup, detached. Throws when it cannot be started. */
export async function startInit(
  installation: Installation,
  description: InstanceDescription,
  gatewayAddress: string,
  clock: Clock,
): Promise<void> {
  const { instanceId, directory, runDirectory, boot } = description
  // What an init that was killed left behind must not stand in the way of the next.
  await haltInstance(installation, instanceId, clock)
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'instance.json')
  // Written before the network is joined: whoever undoes that reads the address here.
  writeRecord(file, description)
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
    // Init and agent read their code ready for use there: in half the time, and without the memory of making it so.
    env: { NODE_COMPILE_CACHE: installation.compileCache, ...process.env },
  })
  closeSync(output)
  let failure: string | undefined
  child.on('error', (error) => (failure = error.message))
  child.on('exit', (code, signal) => (failure = `it ended with ${signal ?? code}`))
  child.unref()
  const startedAt = clock.now()
  if (child.pid !== undefined) {
    const record: InitRecord = { pid: child.pid, boot, startedAt }
    writeRecord(join(runDirectory, 'init.json'), record)
  }
  // From when it is in its cgroup, whoever looks finds it there.
  while (!runningInit(installation, instanceId)) {
    if (failure !== undefined || clock.now() - startedAt > bootWithinMs)
      throw bootFailure(directory, failure ?? 'it does not start')
    await sleep(clock, pollMs)
  }
}

/** True once the instance's init serves instance metadata; false when it needs more time. Throws when it will not. */
export async function isBooted(
  installation: Installation,
  instanceId: string,
  clock: Clock,
): Promise<boolean> {
  const ready = join(runDirectoryOf(installation, instanceId), 'ready')
  const until = clock.now() + bootLookMs
  for (;;) {
    if (existsSync(ready)) return true
    const directory = instanceDirectory(installation, instanceId)
    const init = runningInit(installation, instanceId)
    if (init === undefined) throw bootFailure(directory, 'its init ended')
    const now = clock.now()
    if (now - init.startedAt > bootWithinMs)
      throw bootFailure(directory, `its init is not ready after ${bootWithinMs / 1000} s`)
    if (now > until) return false
    await sleep(clock, pollMs)
  }
}

/** The log goes away with an instance that cannot be launched, so the error carries the end of it. */
function bootFailure(directory: string, why: string): Error {
  const file = join(directory, 'instance.log')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
  const end = lines.slice(-logTail.lines).join('; ').slice(-logTail.characters)
  return new Error(
    `the instance does not boot: ${why}; ${end === '' ? 'its log is empty' : `its log ends with: ${end}`}`,
  )
}

/** All that the inside of an instance needs to know. */
export function describe(
  installation: Installation,
  { instance, vpc, subnet, securityGroups, vcpu, memoryMiB, accessKey }: InstanceSpec,
  gatewayAddress: string,
  port: number,
): InstanceDescription {
  const { instanceId, keyName, userData, publicIpAddress, publicDnsName } = instance
  const { roleName, instanceProfileArn, instanceProfileId } = instanceRole(instance)
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
      name: roleName,
      instanceProfileArn,
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
