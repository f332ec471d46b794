// The processes of an embedded instance, found by what its provider notes of it and never by name.
import { readdirSync, readFileSync } from 'node:fs'
import { cgroupProcesses } from '@berth/control-plane/adapters/instance-provider-cgroup.ts'
import {
  installationOf,
  requireCgroups,
  runningInit,
} from '@berth/control-plane/adapters/instance-provider-host.ts'

function initOf(directory: string, instanceId: string): number {
  const init = runningInit(installationOf(directory), instanceId)
  if (!init) throw new Error(`no init of ${instanceId} runs`)
  return init.pid
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/**
 * Kills an instance's agent and Docker for good: its init is halted first, which would start them again, and which the
 * provider would replace were it gone. Containers run on. What is returned lets the init go on.
 */
export function paralyse(directory: string, instanceId: string): () => void {
  const init = initOf(directory, instanceId)
  process.kill(init, 'SIGSTOP')
  for (const pid of childrenOf(init)) process.kill(pid, 'SIGKILL')
  return () => void process.kill(init, 'SIGCONT')
}

/** An instance's agent and dockerd, as far as they are up. */
export function processesOf(
  directory: string,
  instanceId: string,
): { readonly agent: number | undefined; readonly dockerd: number | undefined } {
  const children = childrenOf(initOf(directory, instanceId))
  const running = (word: string): number | undefined =>
    children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word))
  return { agent: running('agent/main.ts'), dockerd: running('dockerd') }
}

/** Kills an instance's agent, which its init starts again; one that is not up yet is left to come. */
export function killAgent(directory: string, instanceId: string): void {
  const { agent } = processesOf(directory, instanceId)
  if (agent !== undefined) process.kill(agent, 'SIGKILL')
}

/** Ends everything of an instance at once, its containers included, as a power cut does. */
export function cutPower(directory: string, instanceId: string): void {
  const { cgroup } = installationOf(directory)
  process.kill(initOf(directory, instanceId), 'SIGKILL')
  for (const pid of cgroupProcesses(requireCgroups(), `${cgroup}/${instanceId}`))
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It went with another.
    }
}
