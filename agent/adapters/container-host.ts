/** What the machine gives to the containers of tasks: cgroups, GPUs, and what its Docker Engine can. */
import { existsSync, readFileSync } from 'node:fs'
import { hasEfs } from '#engine/efs.ts'
import type { Attribute } from '#engine/registration.ts'
import { messageOf } from '#runtime/agent-error.ts'
import type { AgentConfig, Log } from '#runtime/ports.ts'
import { type TaskCgroups, taskCgroup } from '#runtime/task-cgroup.ts'
import { taskGpus } from '#runtime/task-gpus.ts'
import type { TaskResource } from '#runtime/task-resources.ts'
import { CgroupFiles, cgroupHierarchies } from './cgroup.ts'
import { SystemdSlices } from './cgroup-systemd.ts'
import { ConfigurationError, type Environment } from './environment.ts'
import { nvidiaGpus } from './gpus.ts'
import { fargateHost } from './fargate-host.ts'
import { type EngineInfo, hostCapabilities, loggingDrivers } from './host-capabilities.ts'
import { runProgram } from './run-program.ts'

const journalSocket = '/run/systemd/journal/socket'

interface ContainerHost {
  /** The configuration with what was found: log drivers, and whether tasks have cgroups. */
  readonly config: AgentConfig
  readonly resources: readonly TaskResource[]
  readonly capabilities: readonly Attribute[]
  readonly gpus: readonly string[]
}

/** @throws ConfigurationError when what a setting insists on cannot be had; RuntimeError when the engine does not answer */
export async function containerHost(
  runtime: { info(): Promise<EngineInfo> },
  environment: Environment,
  config: AgentConfig,
  log: Log,
): Promise<ContainerHost> {
  const engine = await runtime.info()
  const cgroups = config.taskCpuMemoryLimit ? await openCgroups(engine, environment, log) : undefined
  const wanted = environment['ECS_ENABLE_GPU_SUPPORT'] === 'true'
  const gpus = wanted ? await nvidiaGpus(runProgram) : undefined
  if (wanted && !gpus) log('error', 'GPU support is enabled, but no NVIDIA GPU was found')
  const ids = gpus?.ids ?? []
  return {
    config: {
      ...config,
      taskCpuMemoryLimit: config.taskCpuMemoryLimit && !cgroups,
      loggingDrivers: loggingDrivers(engine, environment, config.loggingDrivers, existsSync(journalSocket)),
    },
    resources: [
      ...fargateHost(engine, environment, log),
      ...(cgroups ? [taskCgroup(cgroups, { pidsMax: config.taskPidsMax })] : []),
      taskGpus({
        gpus: ids,
        external: config.external,
        runtime: environment['ECS_NVIDIA_RUNTIME'] || 'nvidia',
      }),
    ],
    capabilities: hostCapabilities(engine, environment, {
      taskCgroups: cgroups !== undefined,
      efs: hasEfs(config.efsServers),
      gpus,
    }),
    gpus: ids,
  }
}

/** Undefined when tasks can have no cgroups here, unless ECS_ENABLE_TASK_CPU_MEM_LIMIT insists on them. */
async function openCgroups(
  engine: EngineInfo,
  environment: Environment,
  log: Log,
): Promise<TaskCgroups | undefined> {
  const probe = 'probe'
  try {
    if (!(environment['DOCKER_HOST'] || 'unix://').startsWith('unix://'))
      throw new Error('the Docker Engine is on another machine')
    const cgroups =
      engine.cgroupDriver === 'systemd'
        ? new SystemdSlices(runProgram, engine.cgroupVersion)
        : cgroupFiles(environment)
    await cgroups.make(probe, { cpuShares: 2 })
    await cgroups.remove(probe)
    return cgroups
  } catch (error) {
    const text = `tasks have no cgroups of their own: ${messageOf(error)}`
    if (environment['ECS_ENABLE_TASK_CPU_MEM_LIMIT'] === 'true') throw new ConfigurationError(text)
    log('warn', `${text}; each container is bound by the size of its task`)
    return undefined
  }
}

function cgroupFiles(environment: Environment): TaskCgroups {
  const hierarchies = cgroupHierarchies(readFileSync('/proc/mounts', 'utf8'))
  if (hierarchies.length === 0) throw new Error('no cgroups with cpu and memory are mounted')
  return new CgroupFiles(hierarchies, environment['BERTH_CGROUP_PARENT'])
}
