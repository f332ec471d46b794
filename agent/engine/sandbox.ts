/** The pause container: it does nothing, and its namespaces are those that the containers of a task share. */
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { containerNameLabel, type CreateBody, taskArnLabel } from './container-spec.ts'
import { sharedSysctls } from './shared-sysctls.ts'
import type { TaskRecord } from './task-record.ts'

/** What the official agent calls it. */
export const pauseContainerName = '~internal~ecs~pause'

const isShared = (mode: string | undefined): boolean => mode === 'task'

export function needsSandbox({ networkMode, pidMode, ipcMode }: PayloadTask): boolean {
  return networkMode === 'awsvpc' || isShared(pidMode) || isShared(ipcMode)
}

/** Docker's name of it: always the same for a task, so that it is found again. */
export function sandboxName({ arn, family = '', version = '' }: PayloadTask): string {
  const id = arn.slice(arn.lastIndexOf('/') + 1)
  return `ecs-${family}-${version}-internalecspause-${id}`.replaceAll(/[^A-Za-z0-9_.-]/g, '')
}

/** The pause container as Docker is asked for it; `address` is the task's, in network mode awsvpc. */
export function sandboxBody({ task }: TaskRecord, image: string, address: string | undefined): CreateBody {
  const eni = task.elasticNetworkInterfaces?.[0]
  const hostname = eni?.privateDnsName
  const sysctls = sharedSysctls(task)
  return {
    Image: image,
    Env: [],
    ...(hostname !== undefined && { Hostname: hostname }),
    Labels: { [taskArnLabel]: task.arn, [containerNameLabel]: pauseContainerName },
    HostConfig: {
      NetworkMode: 'none',
      ...(isShared(task.ipcMode) && { IpcMode: 'shareable' }),
      ...(Object.keys(sysctls).length > 0 && { Sysctls: sysctls }),
      ...(hostname !== undefined && address !== undefined && { ExtraHosts: [`${hostname}:${address}`] }),
      ...(eni?.domainName && { DnsSearch: eni.domainName }),
      ...(eni?.domainNameServers && { Dns: eni.domainNameServers }),
    },
  }
}

/** What each container of the task takes from it. */
export function joinSandbox(
  { networkMode, pidMode, ipcMode }: PayloadTask,
  id: string,
): Readonly<Record<string, unknown>> {
  const joined = `container:${id}`
  return {
    ...(networkMode === 'awsvpc' && { NetworkMode: joined }),
    ...(isShared(pidMode) && { PidMode: joined }),
    ...(isShared(ipcMode) && { IpcMode: joined }),
  }
}
