/** The agent's process: reads the environment, joins the floors, and ends with the official agent's exit codes. */
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { ecrLogin, ecsApi, taskApi } from '#adapters/aws-api.ts'
import { findBusybox } from '#adapters/busybox.ts'
import { credentialSource } from '#adapters/credentials.ts'
import { FileDisk } from '#adapters/disk.ts'
import { containerHost } from '#adapters/container-host.ts'
import { DockerRuntime } from '#adapters/docker.ts'
import { agentConfig, ConfigurationError, type Environment, withConfigFile } from '#adapters/environment.ts'
import { DockerExec } from '#adapters/exec-docker.ts'
import { sessionLogs } from '#adapters/exec-logs.ts'
import { connectDataChannel } from '#adapters/exec-socket.ts'
import { busyPorts, cpuArchitecture, ephemeralPorts, machineSize } from '#adapters/host.ts'
import { taskNetworking } from '#adapters/host-network.ts'
import { InstanceMetadata } from '#adapters/instance-metadata.ts'
import { type LocalEndpoints, localEndpoints } from '#adapters/metadata/local-endpoints.ts'
import { instanceLocation } from '#adapters/metadata/location.ts'
import { dataDirectoryOnHost, metadataResources } from '#adapters/metadata/resources.ts'
import { addressOptions, installMetadataAddress } from '#adapters/metadata-address.ts'
import { secretSources } from '#adapters/secret-sources.ts'
import { provideToolbox, toolboxResource } from '#adapters/toolbox.ts'
import { officialAgentIdentity } from '#adapters/official-agent.ts'
import { objectSource } from '#adapters/object-source.ts'
import { firelens } from '#adapters/firelens.ts'
import { logStreamMaker } from '#adapters/log-streams.ts'
import { connectSigned } from '#adapters/websocket.ts'
import { Agent } from '#runtime/agent.ts'
import { AgentExit, exitCode } from '#runtime/agent-error.ts'
import { TaskCredentials } from '#runtime/credentials.ts'
import { logCredentials } from '#runtime/log-credentials.ts'
import { environmentFiles } from '#runtime/environment-files.ts'
import { fargateLogs } from '#runtime/fargate-logs.ts'
import type { AgentDependencies, Log } from '#runtime/ports.ts'
import { registrySecrets, taskSecrets } from '#runtime/secrets.ts'

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

/** The id in an identity document; undefined where there is none. */
function instanceIdOf(document: string): string | undefined {
  return document ? (JSON.parse(document) as { readonly instanceId?: string }).instanceId : undefined
}

interface Identity {
  readonly document: string
  readonly signature: string
}

async function build(): Promise<{
  readonly agent: Agent
  readonly runtime: DockerRuntime
  readonly endpoints: LocalEndpoints
}> {
  const external = environment['ECS_EXTERNAL'] === 'true'
  const metadata = external
    ? undefined
    : new InstanceMetadata(environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'])
  const identity: Identity = metadata ? await metadata.identity() : { document: '', signature: '' }
  const region = regionOf(environment, identity.document)
  const given = agentConfig(environment, region)
  const dockerHost = environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  const runtime = new DockerRuntime(dockerHost)
  const { config, ...found } = await containerHost(runtime, environment, given, log)
  const userAgent = `Amazon ECS Agent - v${config.agentVersion} (*${config.agentHash}) (linux; LINUX) (+http://aws.amazon.com/ecs/)`
  const credentials = credentialSource(environment, metadata, () => systemClock.now())
  const websockets = { region, credentials, verifyTls: !process.argv.includes('-k') }
  const directory = environment['ECS_DATADIR'] || '/data'
  const toolbox = await findToolbox(join(directory, 'toolbox'))
  const api = { endpoint: backend(region), region, credentials, userAgent }
  const ecs = ecsApi(api)
  const cluster = config.cluster || 'default'
  const location = await instanceLocation(metadata)
  const { network, capabilities } = await taskNetworking(runtime, environment, { ecs, external, log })
  const roles = new TaskCredentials(systemClock)
  const predecessor = await officialAgentIdentity(directory, log)
  const instanceId = instanceIdOf(identity.document)
  const getObject = objectSource({ backend: api.endpoint, region, environment, userAgent })
  const secrets = secretSources({ backend: api.endpoint, environment, userAgent })
  const dependencies: AgentDependencies = {
    clock: systemClock,
    ids: systemIds,
    runtime,
    ecs,
    connect: connectSigned(websockets),
    login: ecrLogin({ region, credentials, userAgent }),
    disk: new FileDisk(join(directory, 'berth')),
    ...(predecessor && { predecessor }),
    host: {
      ...machineSize(environment),
      identityDocument: identity.document,
      identitySignature: identity.signature,
      cpuArchitecture: cpuArchitecture(),
      ephemeralPorts: ephemeralPorts(),
      busyPorts,
      capabilities: [...found.capabilities, ...capabilities],
      gpus: found.gpus,
    },
    ...(network && { network }),
    credentials: roles,
    registrySecrets: registrySecrets(secrets, roles),
    resources: [
      ...metadataResources(environment, {
        docker: runtime,
        directory,
        cluster,
        containerInstanceArn: () => agent.identity().containerInstanceArn,
        location,
      }),
      taskSecrets(secrets, roles),
      logCredentials(),
      environmentFiles(getObject, roles),
      fargateLogs(logStreamMaker({ userAgent }), roles),
      firelens({
        directory,
        directoryOnHost: dataDirectoryOnHost(environment, directory),
        cluster,
        ...(instanceId && { instanceId }),
        getObject,
        credentials: roles,
      }),
      ...found.resources,
      ...(network ? [network] : []),
      ...(toolbox === undefined ? [] : [toolboxResource(toolbox)]),
    ],
    ...(toolbox !== undefined && {
      exec: {
        start: new DockerExec(dockerHost).start,
        connect: connectDataChannel(websockets),
        putLog: sessionLogs({ credentials, userAgent }),
      },
    }),
    log,
  }
  const agent: Agent = new Agent(dependencies, config)
  const endpoints = localEndpoints({
    agent,
    docker: runtime,
    api: taskApi(api),
    clock: systemClock,
    environment,
    log,
    cluster,
    region,
    location,
    versionText: `Amazon ECS Agent - v${config.agentVersion} (*${config.agentHash})`,
  })
  endpoints.listen()
  return { agent, runtime, endpoints }
}

/** Where the toolbox of ECS Exec is; without one this host does not offer it. */
async function findToolbox(directory: string): Promise<string | undefined> {
  try {
    const busybox = await findBusybox(environment)
    if (busybox !== undefined) return await provideToolbox(busybox, directory)
    log('warn', 'no ECS Exec: install busybox-static, or name a static busybox in BERTH_BUSYBOX')
  } catch (error) {
    log('warn', 'no ECS Exec: its toolbox cannot be made', { error: String(error) })
  }
  return undefined
}

function regionOf(variables: Environment, document: string): string {
  const given = variables['AWS_DEFAULT_REGION'] || variables['AWS_REGION']
  if (given) return given
  const found = document ? (JSON.parse(document) as { readonly region?: string }).region : undefined
  if (found) return found
  throw new ConfigurationError('set AWS_DEFAULT_REGION: nothing else tells the region')
}

async function main(): Promise<void> {
  const { agent, runtime, endpoints } = await build()
  const end = (): void => {
    log('info', 'ending; the tasks run on')
    endpoints.close()
    void agent.stop().then(() => {
      runtime.close()
      process.exit(exitCode.ok)
    })
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  await installMetadataAddress(addressOptions(environment)).catch((error: unknown) =>
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
