/** The agent's process: reads the environment, joins the floors, and ends with the official agent's exit codes. */
import type { Server } from 'node:http'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { ecrLogin, ecsApi } from '#adapters/aws-api.ts'
import { credentialSource } from '#adapters/credentials.ts'
import { FileDisk } from '#adapters/disk.ts'
import { DockerRuntime } from '#adapters/docker.ts'
import { agentConfig, ConfigurationError, type Environment, withConfigFile } from '#adapters/environment.ts'
import { busyPorts, cpuArchitecture, ephemeralPorts, machineSize } from '#adapters/host.ts'
import { InstanceMetadata } from '#adapters/instance-metadata.ts'
import { installMetadataAddress } from '#adapters/metadata-address.ts'
import {
  introspectionPort,
  introspectionServer,
  metadataPort,
  metadataServer,
} from '#adapters/metadata-server.ts'
import { connectSigned } from '#adapters/websocket.ts'
import { Agent } from '#runtime/agent.ts'
import { AgentExit, exitCode } from '#runtime/agent-error.ts'
import type { AgentDependencies, Log } from '#runtime/ports.ts'

const environment = withConfigFile(process.env)
const levels: Readonly<Record<string, string>> = {
  debug: 'debug',
  warn: 'warn',
  error: 'error',
  crit: 'fatal',
}
const logger = pino(
  { level: levels[environment['ECS_LOGLEVEL'] ?? ''] ?? 'info' },
  pino.destination({ dest: 2, sync: true }),
)
const log: Log = (level, message, fields) => logger[level](fields ?? {}, message)

/** Where the ECS API is: ECS_BACKEND_HOST, with https when it names no scheme, or AWS's own. */
function backend(region: string): string {
  const host = environment['ECS_BACKEND_HOST']
  if (!host) return `https://ecs.${region}.amazonaws.com`
  return host.includes('://') ? host : `https://${host}`
}

interface Identity {
  readonly document: string
  readonly signature: string
}

async function build(): Promise<{
  readonly agent: Agent
  readonly runtime: DockerRuntime
  readonly servers: readonly Server[]
}> {
  const external = environment['ECS_EXTERNAL'] === 'true'
  const metadata = external
    ? undefined
    : new InstanceMetadata(environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'])
  const identity: Identity = metadata ? await metadata.identity() : { document: '', signature: '' }
  const region = regionOf(environment, identity.document)
  const config = agentConfig(environment, region)
  const userAgent = `Amazon ECS Agent - v${config.agentVersion} (*${config.agentHash}) (linux; LINUX) (+http://aws.amazon.com/ecs/)`
  const credentials = credentialSource(environment, metadata, () => systemClock.now())
  const runtime = new DockerRuntime(environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock')
  const dependencies: AgentDependencies = {
    clock: systemClock,
    ids: systemIds,
    runtime,
    ecs: ecsApi({ endpoint: backend(region), region, credentials, userAgent }),
    connect: connectSigned({ region, credentials, verifyTls: !process.argv.includes('-k') }),
    login: ecrLogin({ region, credentials, userAgent }),
    disk: new FileDisk(join(environment['ECS_DATADIR'] || '/data', 'berth')),
    host: {
      ...machineSize(environment),
      identityDocument: identity.document,
      identitySignature: identity.signature,
      cpuArchitecture: cpuArchitecture(),
      ephemeralPorts: ephemeralPorts(),
      busyPorts,
    },
    log,
  }
  const agent = new Agent(dependencies, config)
  const shown = {
    agent,
    runtime,
    options: {
      cluster: config.cluster || 'default',
      region,
      taskCpuMemoryLimit: config.taskCpuMemoryLimit,
    },
    versionText: `Amazon ECS Agent - v${config.agentVersion} (*${config.agentHash})`,
  }
  const [containers, people] = [metadataServer(shown), introspectionServer(shown)]
  listen(containers, metadataPort, '127.0.0.1')
  listen(people, introspectionPort)
  return { agent, runtime, servers: [containers, people] }
}

function regionOf(variables: Environment, document: string): string {
  const given = variables['AWS_DEFAULT_REGION'] || variables['AWS_REGION']
  if (given) return given
  const found = document ? (JSON.parse(document) as { readonly region?: string }).region : undefined
  if (found) return found
  throw new ConfigurationError('set AWS_DEFAULT_REGION: nothing else tells the region')
}

/** A port that somebody else has costs the endpoint, not the tasks. */
function listen(server: Server, port: number, address?: string): void {
  server.on('error', (error) => log('error', 'local endpoint not served', { port, error: error.message }))
  server.listen(port, address)
}

async function main(): Promise<void> {
  const { agent, runtime, servers } = await build()
  const end = (): void => {
    log('info', 'ending; the tasks run on')
    for (const server of servers) server.close().closeAllConnections()
    void agent.stop().then(() => {
      runtime.close()
      process.exit(exitCode.ok)
    })
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  await installMetadataAddress(metadataPort).catch((error: unknown) =>
    log('warn', 'containers will not reach the metadata endpoint', { error: String(error) }),
  )
  await agent.start()
  // With NODE_COMPILE_CACHE set, the next agent starts without the TypeScript stripper, which costs 30 MB for good.
  flushCompileCache()
}

try {
  await main()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  log('error', `the agent ends: ${message}`)
  const terminal = error instanceof ConfigurationError
  process.exit(error instanceof AgentExit ? error.exitCode : terminal ? exitCode.terminal : exitCode.restart)
}
