import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BlobStore } from '@berth/registry/blob-store.ts'
import { registryEndpoint } from '@berth/registry/endpoint.ts'
import { MemoryLogStore } from '@berth/log-store/memory-log-store.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { AgentGateway } from '#adapters/agent-gateway.ts'
import { LatestTaskMetrics } from '#adapters/agent-gateway-tcs.ts'
import { agentUpgrades } from '#adapters/agent-gateway-upgrade.ts'
import { authenticate } from '#adapters/authenticate.ts'
import { authorizeAgent, iamAuthorize } from '#adapters/authorize.ts'
import { createAwsEndpoint } from '#adapters/aws-endpoint.ts'
import { ecrLayers } from '#adapters/ecr-layers.ts'
import { createExplainEndpoint } from '#adapters/explain-endpoint.ts'
import { ExecRelay } from '#adapters/exec-relay.ts'
import { createHttpServer } from '#adapters/http-server.ts'
import { embeddedInstances } from '#adapters/instance-provider.ts'
import { instanceConsoles } from '#adapters/instance-provider-console.ts'
import { createJoinEndpoint } from '#adapters/join-endpoint.ts'
import { openSqliteJournal } from '#adapters/journal-sqlite.ts'
import { LiveTail } from '#adapters/logs-live-tail.ts'
import { logsPlane } from '#adapters/logs-plane.ts'
import { lazyLogStore } from '#adapters/logs-store.ts'
import { logSweep } from '#adapters/logs-sweep.ts'
import { layerSweep } from '#adapters/layer-sweep.ts'
import { createMetrics } from '#adapters/metrics.ts'
import { registryCatalog } from '#adapters/registry-catalog.ts'
import { s3Objects } from '#adapters/s3-objects.ts'
import { expose, type Exposure } from '#adapters/tls-exposure.ts'
import { openVault } from '#adapters/vault.ts'
import { scheduledRuns } from '#api/ecs/tasks/scheduled-run.ts'
import type { Installation } from '#api/operation.ts'
import { services } from '#api/services.ts'
import { awsThrottle } from '#api/throttle.ts'
import { daemonScheduler } from '#engines/daemon-scheduler.ts'
import { deploymentActions, noHooks, noTraffic } from '#engines/deployment-actions.ts'
import { instanceLifecycle } from '#engines/instance-lifecycle.ts'
import { instanceLiveness } from '#engines/instance-liveness.ts'
import { layerCollection } from '#engines/layer-collection.ts'
import { fargateCapacity } from '#engines/fargate-capacity.ts'
import { logRetention } from '#engines/log-retention.ts'
import { drive, type Reconciler } from '#engines/reconciler.ts'
import { serviceScheduler } from '#engines/service-scheduler.ts'
import { networkInterfaces } from '#engines/network-interfaces.ts'
import { securityGroups } from '#engines/security-groups.ts'
import { taskDispatch } from '#engines/task-dispatch.ts'
import { taskRoutes } from '#engines/task-routes.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { taskSchedules } from '#engines/task-schedules.ts'
import type { FargateLimits } from '#domain/fargate.ts'
import { Fleet } from '#state/fleet.ts'
import { type Journal, memoryJournal } from '#state/journal.ts'
import { provideSessionKey } from '#state/session-credentials.ts'
import { Store } from '#state/store.ts'
import { type Vault, vaultInMemory } from '#state/vault.ts'

const logBytesMaxDefault = 10 * 1024 ** 3

export interface ControlPlaneConfig {
  readonly port: number
  /** Where the journal, image layers and embedded instances are kept. */
  readonly directory: string
  /** No journal: the state is gone when the process ends. */
  readonly memory: boolean
  /** Any signature is accepted. */
  readonly dev: boolean
  /** AWS's limits on requests hold. */
  readonly throttle: boolean
  /** Policies decide what everybody but root may do. */
  readonly enforceIam?: boolean
  readonly accountId: string
  /** Addresses of this machine where other machines reach the port, over TLS only. */
  readonly listen?: readonly string[]
  /** How large all logs may be together, compressed. */
  readonly logBytesMax?: number
  /** How much of this machine Fargate tasks together may take; absent: there is no Fargate. */
  readonly fargate?: FargateLimits
}

export interface ControlPlane {
  readonly url: string
  /** Rejects when the control plane cannot go on; memory must not outlive its journal. */
  readonly failed: Promise<never>
  /** Stops serving. Tasks and instances run on. */
  stop(): Promise<void>
}

/** Why a control plane did not start, in a sentence that says what to do. */
export class StartError extends Error {}

/** Builds the control plane, joins its parts and starts serving. Throws StartError. */
export async function startControlPlane(config: ControlPlaneConfig): Promise<ControlPlane> {
  const clock = systemClock
  const ids = systemIds
  const { directory, port } = config
  makeDirectory(directory)
  const store = await openStore(config)
  const vault = await vaultFor(config, store)
  const fleet = Fleet.of(store)
  const access = { dev: config.dev, defaultAccountId: config.accountId }
  const log = (text: string): void => console.error(text)
  const report = (during: string, problem: unknown): void =>
    console.error(
      `${during}: ${problem instanceof Error ? (problem.stack ?? problem.message) : String(problem)}`,
    )

  const url = `http://127.0.0.1:${port}`
  let gatewayAddress: string | undefined
  const installation: Installation = {
    url,
    registryHost: `localhost:${port}`,
    agentUrl: (arn) =>
      store.find('containerInstance', arn)?.controlPlaneUrl ??
      (gatewayAddress === undefined ? url : `http://${gatewayAddress}:${port}`),
    ...(config.enforceIam === true && { enforcesIam: true }),
    ...(config.fargate && { fargate: config.fargate }),
  }
  const blobs = new BlobStore(join(directory, 'registry'), ids)
  const logs = config.memory
    ? new MemoryLogStore()
    : lazyLogStore(join(directory, 'logs'), config.logBytesMax ?? logBytesMaxDefault, log)
  const liveTail = new LiveTail(clock, ids)
  const metrics = createMetrics()
  const gateway = new AgentGateway({
    store,
    clock,
    ids,
    installation,
    metrics: new LatestTaskMetrics(clock),
    report,
  })
  const exec = new ExecRelay({
    gateway,
    url,
    clock,
    ids,
    authenticate: (request) => authenticate(request, store, access, clock.now()).caller,
  })
  const authorize = config.enforceIam === true ? iamAuthorize(store, clock) : undefined
  const guard = authorize && { authorize }
  const upgrades = agentUpgrades({
    gateway,
    authenticate: (request) => {
      const identity = authenticate(request, store, access, clock.now())
      if (authorize) authorizeAgent(authorize, request, identity)
      return identity.caller
    },
    report,
  })
  const door = {
    store,
    fleet,
    clock,
    ids,
    installation,
    dataPlanes: {
      layers: ecrLayers(blobs),
      commands: exec.commands,
      consoles: instanceConsoles(directory),
      logs: logsPlane(logs, liveTail),
    },
    vault,
    mode: access,
    onError: (error: unknown, during: string) => report(during, error),
  }
  let exposure: Exposure | undefined
  const server = createHttpServer({
    aws: createAwsEndpoint({
      ...door,
      ...guard,
      services,
      ...(config.throttle && { throttle: awsThrottle(clock) }),
      observe: (request) => metrics.observe(request),
    }),
    explain: createExplainEndpoint({ ...door, ...guard }),
    join: createJoinEndpoint({ ...door, ...guard, remote: () => exposure }),
    registry: registryEndpoint({
      catalog: registryCatalog({ store, clock }),
      blobs,
      onError: (error) => report('registry', error),
    }),
    objects: s3Objects({ ...door, ...guard, directory, onError: (error) => report('s3', error) }),
    upgrades: { acs: upgrades.acs, tcs: upgrades.tcs, v1: exec.upgrade },
    health: () => ({ status: 'ok' }),
    metrics,
  })
  const listen = async (host: string): Promise<void> => {
    const listening = await server.listen({ host, port })
    if ('error' in listening) throw new StartError(listening.error)
  }
  const instances = embeddedInstances({
    directory,
    port,
    clock,
    log,
    onGateway: async (address) => {
      await listen(address)
      gatewayAddress = address
    },
  })

  if (!config.dev) provideRootCredentials(store, config)
  provideSessionKey(store, ids)
  try {
    // Whoever reads the root's key from its file must find it good after a crash too.
    await store.durable()
    // First, because who listens on all addresses has these too.
    const { listen: addresses = [] } = config
    if (addresses.length > 0) exposure = await expose(server, { directory, addresses, port, clock, report })
    await listen('127.0.0.1')
  } catch (error) {
    await store.close()
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error })
  }
  // Instances from before reach their control plane at the gateway's address, so it is there before their agents retry.
  await instances.recover().catch((error: unknown) => report('instances', error))

  const stopping = new AbortController()
  const run = <Effect, Outcome>(engine: Reconciler<Effect, Outcome>): Promise<void> =>
    drive(engine, { store, clock, stop: stopping.signal, onError: report })
  const launching = {
    view: store,
    ids,
    fleet,
    ...(config.enforceIam === true && { enforcesIam: true as const }),
  }
  const engines = [
    run(serviceScheduler({ ...launching, ...(config.fargate && { fargate: config.fargate }) })),
    ...(config.fargate ? [run(fargateCapacity({ fleet, ids, limits: config.fargate }))] : []),
    run(deploymentActions({ traffic: noTraffic, hooks: noHooks })),
    run(daemonScheduler(launching)),
    run(networkInterfaces(ids)),
    run(securityGroups(gateway)),
    run(taskRoutes(instances.routes)),
    run(taskDispatch(gateway)),
    run(instanceLiveness({ view: store, hasSession: (arn) => gateway.told(arn) !== undefined })),
    run(instanceLifecycle(instances, ids)),
    run(taskReaper()),
    run(taskSchedules({ ids, run: scheduledRuns(door), report })),
    run(logRetention(logSweep(logs), (id) => store.count('logGroup', 'storeId', id) > 0)),
    run(layerCollection(layerSweep(blobs), (digest) => store.count('layer', 'digest', digest) > 0)),
  ]
  void makeIndexes(store)
  return {
    url,
    failed: store.failed,
    async stop() {
      stopping.abort()
      exposure?.close()
      liveTail.close()
      exec.close()
      gateway.close()
      await server.close()
      await Promise.all(engines)
      await logs.close()
      await store.close()
    },
  }
}

async function openStore({ memory, directory }: ControlPlaneConfig): Promise<Store> {
  try {
    const journal: Journal = memory ? memoryJournal : await openSqliteJournal(join(directory, 'state.sqlite'))
    return await Store.open(journal)
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Without a journal nothing outlives the process, and neither need its key. */
async function vaultFor({ memory, directory }: ControlPlaneConfig, store: Store): Promise<Vault> {
  if (memory) return vaultInMemory(systemIds)
  try {
    return openVault(directory, store, systemIds)
  } catch (error) {
    await store.close()
    throw new StartError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** Requests are answered already, and find most indexes made when they come to need them. */
async function makeIndexes(store: Store): Promise<void> {
  for (const _ of store.makeIndexes()) await setImmediate()
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw new StartError(`${directory} cannot be made: ${String(error)}; name another with --data`, {
      cause: error,
    })
  }
}

/** The root user's key, made at the first start and kept in a file that only its owner can read. */
function provideRootCredentials(store: Store, { directory, accountId }: ControlPlaneConfig): void {
  const principalArn = `arn:aws:iam::${accountId}:root`
  const key = store.update((tx) => {
    const known = tx.by('accessKey', 'principal', principalArn)[0]
    if (known) return known
    const made = {
      accessKeyId: `AKIA${systemIds.hex(16).toUpperCase()}`,
      secretAccessKey: systemIds.hex(40),
      accountId,
      principalArn,
      userId: accountId,
    }
    tx.put('accessKey', made)
    return made
  })
  const file = join(directory, 'credentials')
  writeFileSync(
    file,
    `[default]\naws_access_key_id=${key.accessKeyId}\naws_secret_access_key=${key.secretAccessKey}\n`,
    { mode: 0o600 },
  )
  chmodSync(file, 0o600)
}
