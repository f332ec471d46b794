/** Whether this host can give tasks networks of their own, and what does it. */
import { systemClock } from '@berth/std/system-clock.ts'
import type { Attribute } from '#engine/registration.ts'
import type { EcsApi, Log } from '#runtime/ports.ts'
import { TaskNetwork } from '#runtime/task-network.ts'
import { findBusybox } from './busybox.ts'
import { attachInterface, findCniPlugins } from './cni.ts'
import type { DockerRuntime } from './docker.ts'
import {
  applyPacketRules,
  defaultInterface,
  prepareRouting,
  removeInterfaceTo,
  runs,
} from './packet-filter.ts'
import { pauseImage } from './pause-image.ts'

const pluginFolders = ['/usr/lib/cni', '/opt/cni/bin']

export interface TaskNetworking {
  readonly network?: TaskNetwork
  readonly capabilities: readonly Attribute[]
}

/**
 * Finds out what the host has and offers accordingly: with a static busybox pause containers, with the CNI plugins, nft
 * and iptables too, network interfaces for tasks. Says in the log what is to be installed for more.
 */
export async function taskNetworking(
  docker: DockerRuntime,
  environment: Readonly<Record<string, string | undefined>>,
  parts: { readonly ecs: EcsApi; readonly external: boolean; readonly log: Log },
): Promise<TaskNetworking> {
  const { ecs, external, log } = parts
  const busybox = await findBusybox(environment)
  if (busybox === undefined) {
    log('warn', 'no static busybox here: tasks get no pause containers; install busybox-static')
    return { capabilities: [] }
  }
  const given = environment['ECS_CNI_PLUGINS_PATH']
  const folder = await findCniPlugins(given ? [given] : pluginFolders)
  const hostInterface = await defaultInterface().catch(() => undefined)
  const lacking = [
    folder === undefined && 'containernetworking-plugins',
    !(await runs('nft', ['--version'])) && 'nftables',
    !(await runs('iptables', ['--version'])) && 'iptables',
    hostInterface === undefined && 'a default route',
  ].filter((name) => name !== false)
  const wanted = !external && environment['ECS_ENABLE_TASK_ENI'] !== 'false'
  if (wanted && lacking.length > 0)
    log('warn', `no network interfaces for tasks: ${lacking.join(', ')} missing on this host`)
  const hasInterfaces = wanted && lacking.length === 0
  const blockInstanceMetadata = environment['ECS_AWSVPC_BLOCK_IMDS'] === 'true'
  const network = new TaskNetwork({
    runtime: docker,
    image: pauseImage(docker, busybox),
    host: {
      attach: async (pid, wantedInterface) => {
        await prepareRouting(hostInterface ?? '')
        await attachInterface(folder ?? '', pid, wantedInterface)
      },
      detach: ({ address }) => removeInterfaceTo(address),
      apply: (rules) => applyPacketRules(rules, { blockInstanceMetadata }),
    },
    clock: systemClock,
    ecs,
    log,
  })
  const names = [
    'ecs.capability.pid-ipc-namespace-sharing',
    ...(hasInterfaces ? ['ecs.capability.task-eni', 'ecs.capability.task-eni-trunking'] : []),
    ...(hasInterfaces && blockInstanceMetadata ? ['ecs.capability.task-eni-block-instance-metadata'] : []),
  ]
  return { network, capabilities: names.map((name) => ({ name })) }
}
