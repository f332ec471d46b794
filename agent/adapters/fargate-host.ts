/** What makes this machine a host of Fargate, where its settings say so. */
import { readFileSync } from 'node:fs'
import { openFilesMaxOfFargate } from '#engine/fargate-sandbox.ts'
import type { Log } from '#runtime/ports.ts'
import { fargateSandbox } from '#runtime/fargate-sandbox.ts'
import type { TaskResource } from '#runtime/task-resources.ts'
import type { Environment } from './environment.ts'
import type { EngineInfo } from './host-capabilities.ts'

/** Nothing on other hosts. */
export function fargateHost(engine: EngineInfo, environment: Environment, log: Log): readonly TaskResource[] {
  if (environment['BERTH_FARGATE_HOST'] !== 'true') return []
  const ociRuntime = environment['BERTH_OCI_RUNTIME']
  const bindsStorage = canBindStorage(engine, readFileSync('/proc/self/mounts', 'utf8'))
  if (!bindsStorage)
    log(
      'warn',
      'ephemeral storage has no limit here: Docker needs overlay2 on xfs with project quotas for it',
    )
  const openFilesMax = openFilesMaxOf(readFileSync('/proc/self/limits', 'utf8'))
  return [fargateSandbox({ bindsStorage, openFilesMax, ...(ociRuntime && { ociRuntime }) })]
}

/** What Fargate gives its tasks, unless this host may give no more than less: Docker has the agent's limits. */
export function openFilesMaxOf(limits: string): number {
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(limits) ?? []
  return hard === undefined ? openFilesMaxOfFargate : Math.min(openFilesMaxOfFargate, Number(hard))
}

/**
 * Whether Docker's `size` of a container's file system works: with overlay2 on xfs that has project quotas.
 * https://docs.docker.com/engine/storage/drivers/overlayfs-driver/
 */
export function canBindStorage(
  { storageDriver, rootDirectory }: Pick<EngineInfo, 'storageDriver' | 'rootDirectory'>,
  mounts: string,
): boolean {
  const holding = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, place = '']) => place === '/' || `${rootDirectory}/`.startsWith(`${place}/`))
    .toSorted(([, one = ''], [, other = '']) => other.length - one.length)
  const [, , type, options = ''] = holding[0] ?? []
  return storageDriver === 'overlay2' && type === 'xfs' && /(?:^|,)p(?:rj)?quota(?:,|$)/.test(options)
}
