import { Backoff } from '#engine/backoff.ts'
import { executeCommandCapability } from '#engine/managed-agents.ts'
import { type Attribute, attributes, totalResources } from '#engine/registration.ts'
import { AgentExit, exitCode, messageOf } from './agent-error.ts'
import type { AgentConfig, AgentDependencies, RegistrationRequest } from './ports.ts'
import type { Timers } from './timers.ts'

const passing = new Set(['ServerException', 'ThrottlingException', 'LimitExceededException'])
const giveUpMs = 3_600_000

export interface Registered {
  readonly containerInstanceArn: string
  readonly cluster: string
  readonly availabilityZone?: string
  readonly dockerVersion: string
}

export interface Registering {
  /** The same for each attempt at one registration. */
  readonly clientToken: string
  /** What the host is registered as already. */
  readonly containerInstanceArn?: string
}

/**
 * Registers the host as a container instance: again under its ARN when it was one before. Waits for a control plane
 * that is away, since the tasks here run on meanwhile.
 * @throws AgentExit when no waiting would help
 */
export async function register(
  dependencies: AgentDependencies,
  config: AgentConfig,
  timers: Timers,
  { clientToken, containerInstanceArn: savedArn }: Registering,
): Promise<Registered> {
  const docker = await dependencies.runtime.version().catch((error: unknown) => {
    throw new AgentExit(exitCode.restart, `the container runtime does not answer: ${messageOf(error)}`)
  })
  const input = { ...registration(dependencies, config, savedArn, docker.apiVersion), clientToken }
  const backoff = new Backoff({ firstMs: 250, factor: 2, maxMs: 30_000, jitter: 0.2 }, () =>
    dependencies.ids.fraction(),
  )
  const giveUpAt = timers.now() + giveUpMs
  let cluster = config.cluster || 'default'
  while (!timers.ended) {
    try {
      const output = await dependencies.ecs.registerContainerInstance({ ...input, cluster })
      const instance = output.containerInstance
      const containerInstanceArn = savedArn ?? instance?.containerInstanceArn
      if (containerInstanceArn === undefined) throw new Error('the answer names no container instance')
      const echoed = (instance?.attributes ?? []).map(({ name = '', value = '' }) => ({ name, value }))
      const sent = (input.attributes ?? []).map(({ name = '', value = '' }) => ({ name, value }))
      checkEcho(sent, echoed)
      const zone = echoed.find(({ name }) => name === 'ecs.availability-zone')?.value
      return {
        containerInstanceArn,
        cluster,
        dockerVersion: docker.version,
        ...(zone !== undefined && { availabilityZone: zone }),
      }
    } catch (error) {
      if (error instanceof AgentExit) throw error
      if (config.cluster === '' && saysClusterNotFound(error)) {
        const created = await dependencies.ecs.createCluster({ clusterName: 'default' })
        cluster = created.cluster?.clusterName ?? 'default'
        continue
      }
      refuseHopeless(error, timers.now() >= giveUpAt)
      dependencies.log('warn', 'not registered, trying again', { error: messageOf(error) })
      await timers.sleep(backoff.next())
    }
  }
  throw new AgentExit(exitCode.ok, 'stopped before it was registered')
}

function registration(
  { host, exec }: AgentDependencies,
  config: AgentConfig,
  savedArn: string | undefined,
  apiVersion: string,
): Omit<RegistrationRequest, 'clientToken'> {
  const capabilities = attributes({
    apiVersion,
    loggingDrivers: config.loggingDrivers,
    external: config.external,
    privileged: config.privileged,
    cpuArchitecture: host.cpuArchitecture,
    custom: savedArn === undefined ? config.instanceAttributes : {},
    found: [...(host.capabilities ?? []), ...(exec ? [{ name: executeCommandCapability }] : [])],
  })
  const totals = totalResources({
    cpu: host.cpu,
    memoryMiB: host.memoryMiB - config.reservedMemoryMiB,
    reservedPorts: config.reservedPorts,
    reservedPortsUdp: config.reservedPortsUdp,
  })
  const tags = Object.entries(config.instanceTags).map(([key, value]) => ({ key, value }))
  return {
    instanceIdentityDocument: host.identityDocument,
    instanceIdentityDocumentSignature: host.identitySignature,
    attributes: capabilities.map((attribute) => ({ ...attribute })),
    totalResources: totals,
    ...(host.gpus?.length && { platformDevices: host.gpus.map((id) => ({ id, type: 'GPU' as const })) }),
    ...(savedArn !== undefined && { containerInstanceArn: savedArn }),
    ...(tags.length > 0 && { tags }),
  }
}

const saysClusterNotFound = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'ClusterNotFoundException' || error.message.includes('Cluster not found.'))

/** Every attribute with a value must come back with the same one: another control plane would place by other facts. */
function checkEcho(sent: readonly Attribute[], echoed: readonly Attribute[]): void {
  const values = new Map(echoed.map(({ name, value }) => [name, value ?? '']))
  const wrong = sent.find(({ name, value }) => value && (values.get(name) ?? '') !== value)
  if (wrong)
    throw new AgentExit(exitCode.terminal, `AttributeError: ${wrong.name} was not registered as sent`)
}

function refuseHopeless(error: unknown, lateForPassing: boolean): void {
  const name = error instanceof Error ? error.name : ''
  if (messageOf(error).includes('Container instance type changes are not supported.'))
    throw new AgentExit(exitCode.terminal, messageOf(error))
  if (name === 'ClientException' || name === 'InvalidParameterException')
    throw new AgentExit(exitCode.terminal, `${name}: ${messageOf(error)}`)
  if (passing.has(name) && !lateForPassing) return
  if (name.endsWith('Exception')) throw new AgentExit(exitCode.restart, `${name}: ${messageOf(error)}`)
}
