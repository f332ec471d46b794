import { mkdirSync, writeFileSync } from 'node:fs'
import type { InstanceDescription } from './description.ts'
import type { Supervised } from './supervisor.ts'
import { ecsConfig } from './user-data.ts'

/** An exit code of the agent that says: do not start me again (sighandlers/exitcodes of amazon-ecs-agent). */
const agentTerminalCode = 5

const basicEnv = (): Readonly<Record<string, string>> => ({
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env['HOME'] ?? '/root',
  ...(process.env['LANG'] !== undefined && { LANG: process.env['LANG'] }),
})

/** The proxy settings with which the machine reaches the internet: image pulls need them. */
const proxyEnv = (controlPlaneUrl: string): Record<string, string> => {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']
  const found = Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ) as Record<string, string>
  const direct = ['localhost', '127.0.0.0/8', '169.254.0.0/16', new URL(controlPlaneUrl).hostname]
  const noProxy = [process.env['NO_PROXY'] ?? process.env['no_proxy'], ...direct].filter(Boolean).join(',')
  return Object.keys(found).length === 0 ? found : { ...found, NO_PROXY: noProxy, no_proxy: noProxy }
}

/** Writes the configuration of containerd and dockerd. Own files, so that those of the machine's Docker are not read. */
export function prepareDockerFiles({
  directory,
  runDirectory,
  cgroupParent,
  userData,
}: InstanceDescription): void {
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  writeFileSync(
    `${runDirectory}/containerd.toml`,
    [
      'version = 2',
      `root = ${JSON.stringify(`${directory}/containerd`)}`,
      `state = ${JSON.stringify(`${runDirectory}/containerd`)}`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = ${JSON.stringify(`${runDirectory}/containerd.sock`)}`,
      '[ttrpc]',
      `  address = ${JSON.stringify(`${runDirectory}/containerd.sock.ttrpc`)}`,
      '',
    ].join('\n'),
  )
  writeFileSync(
    `${runDirectory}/daemon.json`,
    JSON.stringify({
      'data-root': `${directory}/docker`,
      'exec-root': `${runDirectory}/docker`,
      pidfile: `${runDirectory}/dockerd.pid`,
      hosts: [`unix://${runDirectory}/docker.sock`],
      containerd: `${runDirectory}/containerd.sock`,
      'cgroup-parent': cgroupParent,
      'exec-opts': ['native.cgroupdriver=cgroupfs'],
      // A daemon that dies or is upgraded takes no task with it: on ECS a task ends when its containers do.
      'live-restore': true,
      'log-level': 'warn',
      ...ociRuntimes(ecsConfig(userData)['BERTH_OCI_RUNTIME']),
    }),
  )
}

/** Names of containerd's own kind, `io.containerd.kata.v2`, Docker knows by itself; others are programs. */
function ociRuntimes(name: string | undefined): { readonly runtimes?: object } {
  return name === undefined || name === 'runc' || name.startsWith('io.containerd.')
    ? {}
    : { runtimes: { [name]: { path: name } } }
}

// Its own containerd, because a dockerd that is told of none uses the machine's, with the machine's containers in it.
export function containerdProcess({ directory, runDirectory }: InstanceDescription): Supervised {
  return {
    name: 'containerd',
    command: ['containerd', '--config', `${runDirectory}/containerd.toml`, '--log-level', 'warn'],
    env: basicEnv(),
    logFile: `${directory}/dockerd.log`,
  }
}

export function dockerdProcess({
  directory,
  runDirectory,
  controlPlaneUrl,
}: InstanceDescription): Supervised {
  return {
    name: 'dockerd',
    command: ['dockerd', '--config-file', `${runDirectory}/daemon.json`],
    pidFile: `${runDirectory}/dockerd.pid`,
    env: { ...basicEnv(), ...proxyEnv(controlPlaneUrl) },
    logFile: `${directory}/dockerd.log`,
  }
}

/** The agent, with the settings of the user data over those of the instance. Its credentials come from the metadata service. */
export function agentProcess(instance: InstanceDescription, mainFile: string): Supervised {
  mkdirSync(`${instance.directory}/agent`, { recursive: true, mode: 0o700 })
  return {
    name: 'agent',
    // What an agent makes lives for a moment or for days: a small nursery, swept often by one thread, spares the host
    // memory. It waits nearly all the time: without optimizing compilers it is a tenth smaller and not slower.
    command: [
      process.execPath,
      '--max-semi-space-size=1',
      '--v8-pool-size=1',
      '--no-opt',
      '--no-maglev',
      '--import',
      import.meta.resolve('./keep-compiled.ts'),
      mainFile,
    ],
    env: {
      ...basicEnv(),
      ...(process.env['NODE_COMPILE_CACHE'] !== undefined && {
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      }),
      // The C library keeps memory for each thread apart otherwise, and gives none of it back.
      MALLOC_ARENA_MAX: '2',
      ...ecsConfig(instance.userData),
      ECS_BACKEND_HOST: instance.controlPlaneUrl,
      // The official agent asks these two by AWS's SDK, which knows no ECS_BACKEND_HOST.
      AWS_ENDPOINT_URL_SECRETS_MANAGER: instance.controlPlaneUrl,
      AWS_ENDPOINT_URL_SSM: instance.controlPlaneUrl,
      AWS_DEFAULT_REGION: instance.region,
      DOCKER_HOST: `unix://${instance.runDirectory}/docker.sock`,
      ECS_DATADIR: `${instance.directory}/agent`,
      BERTH_HOST_CPU: String(instance.vcpu * 1024),
      BERTH_HOST_MEMORY_MIB: String(instance.memoryMiB),
      BERTH_CGROUP_PARENT: instance.cgroupParent,
    },
    logFile: `${instance.directory}/agent.log`,
    terminalCodes: [agentTerminalCode],
  }
}
