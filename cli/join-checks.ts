import { createServer } from 'node:net'
import { findBusybox } from '@berth/agent/adapters/busybox.ts'
import { DockerRuntime } from '@berth/agent/adapters/docker.ts'
import { introspectionPort, metadataPort } from '@berth/agent/adapters/metadata/server.ts'
import { runs } from '@berth/agent/adapters/packet-filter.ts'
import { Failure } from './failure.ts'
import { portReason } from './join-host.ts'

/**
 * Whether this machine can be a container instance. Gives what it lacks for more, each with what is not offered without it.
 * Throws Failure with what stands in the way, before a token is spent.
 */
export async function checkHost(dockerHost: string, controlPlanePort: number): Promise<readonly string[]> {
  if (process.platform !== 'linux') throw new Failure('only Linux machines can join')
  if (process.getuid?.() !== 0) throw new Failure('berth join must be root: run it with sudo')
  await checkDocker(dockerHost)
  if (!(await isFree(controlPlanePort)))
    throw new Failure(`port ${controlPlanePort} on 127.0.0.1 is taken: ${portReason}`)
  for (const port of [metadataPort, introspectionPort])
    if (!(await isFree(port)))
      throw new Failure(`port ${port} is taken, most likely by another ECS agent: end it first`)
  const lacks: readonly (string | false)[] = [
    !(await runs('iptables', ['--version'])) &&
      'iptables: without it tasks do not reach 169.254.170.2, so no task roles, no metadata and no AWS_ENDPOINT_URL',
    (await findBusybox(process.env)) === undefined &&
      'busybox-static: without it no ECS Exec, and no pidMode or ipcMode "task"',
  ]
  return lacks.filter((text) => text !== false)
}

async function checkDocker(dockerHost: string): Promise<void> {
  const docker = new DockerRuntime(dockerHost)
  try {
    await docker.version()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(
      `no Docker Engine answers at ${dockerHost} (${why}): install it (Debian: apt install docker.io), or name another with --docker`,
    )
  } finally {
    docker.close()
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
