import { rmSync } from 'node:fs'
import { addressOptions, removeMetadataAddress } from '@berth/agent/adapters/metadata-address.ts'
import { DockerRuntime } from '@berth/agent/adapters/docker.ts'
import { taskArnLabel } from '@berth/agent/engine/container-spec.ts'
import { sleep } from '@berth/std/clock.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { Failure } from './failure.ts'
import { endHost } from './join-host.ts'
import { hostDirectory, type HostSettings, localPort, readSettings, signerOf } from './join-settings.ts'
import { removeUnit } from './join-systemd.ts'
import { postPinned, Refusal } from './join-tunnel.ts'

export interface LeaveFlags {
  readonly data?: string
  readonly force?: boolean
}

/** Longer than tasks may take to stop by themselves: 120 s is the most that a definition may ask for. */
const tasksStopWithinMs = 130_000

/** What the control plane says to a key that it does not have: this host has left before, and did not hear so. */
const goneTypes = ['UnrecognizedClientException', 'InvalidClientTokenId', 'NotJoined']

/**
 * Ends what `berth join` began, on both sides; what is interrupted is done by doing it again. First the control plane gives
 * the host up, then what is here goes. Throws Failure, and then nothing has changed but for tasks that were stopped.
 */
export async function leave({ data, force = false }: LeaveFlags): Promise<void> {
  if (process.getuid?.() !== 0) throw new Failure('berth leave must be root: run it with sudo')
  const directory = hostDirectory(data)
  const settings = readSettings(directory)
  if (!settings) {
    rmSync(directory, { recursive: true, force: true })
    console.log('this machine has not joined')
    return
  }
  const isKnownThere = await tellControlPlane(settings, force)
  removeUnit()
  await endHost(directory)
  await removeContainers(settings)
  await removeMetadataAddress(
    addressOptions({ ECS_BACKEND_HOST: `http://127.0.0.1:${localPort(settings)}` }),
  ).catch((error: unknown) => console.error(`berth: packet filter rules stay: ${String(error)}`))
  rmSync(directory, { recursive: true, force: true })
  console.log(`${settings.instanceId} has left ${settings.url}`)
  if (!isKnownThere) return
  console.error(
    `berth: the control plane did not answer, so its side is left: aws ecs deregister-container-instance --force, for the instance of cluster ${settings.cluster} whose ec2InstanceId is ${settings.instanceId}; its key is ${settings.accessKeyId}`,
  )
}

/** True when the control plane does not know of it, because it cannot be reached. Throws Failure. */
async function tellControlPlane(settings: HostSettings, force: boolean): Promise<boolean> {
  const ask = (mode: string): Promise<{ readonly left: boolean; readonly taskArns: readonly string[] }> =>
    postPinned(settings, '/berth/leave', { mode }, signerOf(settings))
  try {
    let answer = await ask(force ? 'stop' : 'idle')
    if (answer.left) return false
    console.log(`stopping ${answer.taskArns.length === 1 ? 'a task' : `${answer.taskArns.length} tasks`}`)
    const until = systemClock.now() + tasksStopWithinMs
    while (!answer.left && systemClock.now() < until) {
      await sleep(systemClock, 500)
      answer = await ask('stop')
    }
    if (!answer.left) await ask('abandon')
    return false
  } catch (error) {
    if (error instanceof Refusal) {
      if (goneTypes.includes(error.type)) return false
      if (error.type === 'HostHasTasks')
        throw new Failure(`${error.message} Stop what runs, or leave with --force, which stops it.`)
      if (!force) throw new Failure(`${error.type}: ${error.message}`)
    }
    const why = error instanceof Error ? error.message : String(error)
    if (force) return true
    throw new Failure(
      `the control plane at ${settings.url} does not answer (${why}): try again, or leave with --force, which stops tasks and leaves its side as it is`,
    )
  }
}

/** What the agent has left of its tasks, stopped ones too, which it would keep for hours. */
async function removeContainers({ dockerHost, region, accountId, cluster }: HostSettings): Promise<void> {
  const docker = new DockerRuntime(dockerHost)
  try {
    const prefix = `arn:aws:ecs:${region}:${accountId}:task/${cluster}/`
    for (const { id, labels } of await docker.list(taskArnLabel))
      if (labels[taskArnLabel]?.startsWith(prefix)) await docker.remove(id)
  } catch (error) {
    console.error(`berth: containers of tasks may be left: ${String(error)}`)
  } finally {
    docker.close()
  }
}
