import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BlobStore } from '@berth/registry/blob-store.ts'
import { registryEndpoint } from '@berth/registry/endpoint.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { AgentGateway } from '#adapters/agent-gateway.ts'
import { LatestTaskMetrics } from '#adapters/agent-gateway-tcs.ts'
import { agentUpgrades } from '#adapters/agent-gateway-upgrade.ts'
import { authenticate } from '#adapters/authenticate.ts'
import { createAwsEndpoint } from '#adapters/aws-endpoint.ts'
import { ecrLayers } from '#adapters/ecr-layers.ts'
import { createExplainEndpoint } from '#adapters/explain-endpoint.ts'
import { createHttpServer } from '#adapters/http-server.ts'
import { embeddedInstances } from '#adapters/instance-provider.ts'
import { instanceConsoles } from '#adapters/instance-provider-console.ts'
import { openSqliteJournal } from '#adapters/journal-sqlite.ts'
import { layerSweep } from '#adapters/layer-sweep.ts'
import { createMetrics } from '#adapters/metrics.ts'
import { registryCatalog } from '#adapters/registry-catalog.ts'
import { scheduledRuns } from '#api/ecs/tasks/scheduled-run.ts'
import type { Installation } from '#api/operation.ts'
import { services } from '#api/services.ts'
import { awsThrottle } from '#api/throttle.ts'
import { daemonScheduler } from '#engines/daemon-scheduler.ts'
import { deploymentActions, noHooks, noTraffic } from '#engines/deployment-actions.ts'
import { instanceLifecycle } from '#engines/instance-lifecycle.ts'
import { instanceLiveness } from '#engines/instance-liveness.ts'
import { layerCollection } from '#engines/layer-collection.ts'
import { drive, type Reconciler } from '#engines/reconciler.ts'
import { serviceScheduler } from '#engines/service-scheduler.ts'
import { taskDispatch } from '#engines/task-dispatch.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { taskSchedules } from '#engines/task-schedules.ts'
import { Fleet } from '#state/fleet.ts'
import { type Journal, memoryJournal } from '#state/journal.ts'
import { Store } from '#state/store.ts'

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
  readonly accountId: string
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
    agentUrl: () => (gatewayAddress === undefined ? url : `http://${gatewayAddress}:${port}`),
  }
  const blobs = new BlobStore(join(directory, 'registry'), ids)
  const metrics = createMetrics()
  const gateway = new AgentGateway({
    store,
    clock,
    ids,
    installation,
    metrics: new LatestTaskMetrics(clock),
    report,
  })
  const upgrades = agentUpgrades({
    gateway,
    authenticate: (request) => authenticate(request, store, access, clock.now()).caller,
    report,
  })
  const door = {
    store,
    fleet,
    clock,
    ids,
    installation,
    dataPlanes: { layers: ecrLayers(blobs), consoles: instanceConsoles(directory) },
    mode: access,
    onError: (error: unknown, during: string) => report(during, error),
  }
  const server = createHttpServer({
    aws: createAwsEndpoint({
      ...door,
      services,
      ...(config.throttle && { throttle: awsThrottle(clock) }),
      observe: (request) => metrics.observe(request),
    }),
    explain: createExplainEndpoint(door),
    registry: registryEndpoint({
      catalog: registryCatalog({ store, clock }),
      blobs,
      onError: (error) => report('registry', error),
    }),
    upgrades: { acs: upgrades.acs, tcs: upgrades.tcs },
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
  await listen('127.0.0.1').catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  // Instances from before reach their control plane at the gateway's address, so it is there before their agents retry.
  await instances.recover().catch((error: unknown) => report('instances', error))

  const stopping = new AbortController()
  const run = <Effect, Outcome>(engine: Reconciler<Effect, Outcome>): Promise<void> =>
    drive(engine, { store, clock, stop: stopping.signal, onError: report })
  const engines = [
    run(serviceScheduler({ view: store, ids, fleet })),
    run(deploymentActions({ traffic: noTraffic, hooks: noHooks })),
    run(daemonScheduler({ view: store, ids, fleet })),
    run(taskDispatch(gateway)),
    run(instanceLiveness({ view: store, hasSession: (arn) => gateway.told(arn) !== undefined })),
    run(instanceLifecycle(instances, ids)),
    run(taskReaper()),
    run(taskSchedules({ ids, run: scheduledRuns(door), report })),
    run(layerCollection(layerSweep(blobs), (digest) => store.count('layer', 'digest', digest) > 0)),
  ]
  void makeIndexes(store)
  return {
    url,
    failed: store.failed,
    async stop() {
      stopping.abort()
      gateway.close()
      await server.close()
      await Promise.all(engines)
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
