/** Calls of any operation with any input, from the beginning of a world. For tests. */
import { prng } from '@berth/std/prng.ts'
import type { ServiceName } from '@berth/wire/model.ts'
import { observeAgentConnected } from '#domain/container-instance.ts'
import { observeTask } from '#domain/task.ts'
import { daemonScheduler } from '#engines/daemon-scheduler.ts'
import { instanceLiveness } from '#engines/instance-liveness.ts'
import { networkInterfaces } from '#engines/network-interfaces.ts'
import type { Reconciler } from '#engines/reconciler.ts'
import { serviceScheduler } from '#engines/service-scheduler.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { brokenInvariants, brokenTables } from '#state/invariants.ts'
import type { Store } from '#state/store.ts'
import { anyInput } from './any-input-testing.ts'
import { type Answered, type ApiWorld, apiWorld } from './api-world-testing.ts'
import { models, wrongs } from './every-operation-answers-testing.ts'
import { existing, settled } from './existing-testing.ts'
import { digest, pushed } from './samples-ecr-testing.ts'
import { prelude, running } from './samples-ecs-testing.ts'
import { begun, samples } from './samples-testing.ts'

/** What happens beside the API: agents connect, and time passes in which the engines look everywhere once. */
export const meanwhile: Readonly<Record<string, (world: ApiWorld, chance: () => number) => void>> = {
  'agents connect': ({ context: { store } }) =>
    store.update((tx) => {
      for (const instance of tx.list('containerInstance')) {
        if (instance.agentConnected || instance.status === 'INACTIVE') continue
        const rack = instance.attributes.find(({ name }) => name === 'rack')?.value
        // As if a tag of its EC2 instance said so.
        const capacityProviderName = rack === '1' ? 'own' : rack === '2' ? 'managed' : undefined
        tx.put('containerInstance', {
          ...observeAgentConnected(instance, { agentVersion: '1.99.0' }),
          ...(capacityProviderName !== undefined && { capacityProviderName }),
        })
      }
    }),
  'a layer is pushed': ({ context: { store } }) =>
    store.update((tx) => {
      for (const { repositoryArn } of tx.list('repository'))
        tx.put('layer', { repositoryArn, digest, sizeInBytes: 1, uploadedAt: 0 })
    }),
  'tasks start': ({ context: { store, clock } }) =>
    store.update((tx) => {
      for (const task of tx.list('task')) {
        if (task.lastStatus !== 'PENDING' || task.desiredStatus !== 'RUNNING') continue
        const containers = task.containers.map(({ name }) => ({ name, status: 'RUNNING' as const }))
        tx.put('task', observeTask(task, { now: clock.now(), status: 'RUNNING', containers }))
      }
    }),
  'time passes': ({ context: { store, fleet, ids, clock } }, chance) => {
    clock.advance(Math.floor(10 ** (chance() * 7)))
    const engines: Reconciler[] = [
      serviceScheduler({ view: store, ids, fleet }),
      daemonScheduler({ view: store, ids, fleet }),
      instanceLiveness({ view: store, hasSession: () => chance() < 0.9 }),
      networkInterfaces(ids),
      taskReaper(),
    ]
    for (const engine of engines) {
      const places = engine.everywhere ? new Set(engine.everywhere(store)) : undefined
      store.update((tx) => void engine.reconcile(tx, clock.now(), places))
    }
  },
}

export interface Step {
  /** `ecs:RunTask`, or something of `meanwhile`. */
  readonly what: string
  readonly seed: number
}

/**
 * Runs the steps from the beginning of a world with something of each of the services in it; the first thing that is
 * wrong, with the calls that led to it. `observe` is shown each operation with its answer.
 */
export async function firstWrong(
  services: readonly ServiceName[],
  steps: readonly Step[],
  observe: (operation: string, answered: Answered) => void = () => undefined,
): Promise<string | undefined> {
  const world = await apiWorld()
  const tokens: string[] = []
  const log: string[] = []
  if (services.includes('ecs')) await begin(world)
  if ((steps[0]?.seed ?? 0) % 2 === 0) await start(world, services)
  for (const { what, seed: own } of steps) {
    const chance = prng(own)
    const happen = meanwhile[what]
    let wrong: string[]
    if (happen) {
      log.push(what)
      happen(world, chance)
      wrong = brokenInvariants(world.context.store, world.context.fleet)
    } else {
      const { service, operation } = calledBy(what)
      const input = inputOf(what, world.context.store, tokens, chance)
      log.push(`${what} ${JSON.stringify(input)}`)
      const answered = await world.call(service, operation, input)
      for (const name of ['nextToken', 'NextToken', 'Marker']) {
        const token = answered.body[name]
        if (typeof token === 'string') tokens.push(token)
      }
      log.push(`  → ${answered.code ?? 'done'} ${answered.message}`)
      wrong = await wrongs(world, service, operation, answered)
      observe(what, answered)
    }
    if (wrong.length > 0) return `${what}: ${wrong.join('; ')}\nafter\n${log.join('\n')}`
  }
  const wrong = brokenTables(world.context.store)
  return wrong.length > 0 ? `${wrong.join('; ')}\nafter\n${log.join('\n')}` : undefined
}

/** A network, clusters, container instances and task definitions. */
export async function begin(world: ApiWorld): Promise<void> {
  await world.call('ec2', 'DescribeSubnets', {})
  for (const [operation, input] of prelude) await world.call('ecs', operation, input)
  meanwhile['agents connect']?.(world, () => 0)
}

/** Services, tasks, a daemon, images and EC2 instances; and what every other service has. */
export async function start(world: ApiWorld, services: readonly ServiceName[]): Promise<void> {
  if (services.includes('ecs')) await startTasks(world)
  for (const [service, operation, input] of begun) {
    if (!services.includes(service)) continue
    const names = existing(world.context.store, [], service)
    await world.call(service, operation, settled(input, names))
  }
}

async function startTasks(world: ApiWorld): Promise<void> {
  const names = existing(world.context.store, [])
  for (const [operation, input] of running) await world.call('ecs', operation, settled(input, names))
  for (const [operation, input] of pushed) {
    await world.call('ecr', operation, input)
    meanwhile['a layer is pushed']?.(world, () => 0)
  }
  for (const input of samples.ec2['RunInstances'] ?? []) await world.call('ec2', 'RunInstances', input)
}

function calledBy(what: string): { readonly service: ServiceName; readonly operation: string } {
  const [service = '', operation = ''] = what.split(':')
  return { service: service as ServiceName, operation }
}

function inputOf(what: string, store: Store, tokens: readonly string[], chance: () => number): object {
  const { service, operation } = calledBy(what)
  const shape = models[service].get(operation)?.input
  if (!shape) throw new Error(`${what} is not in the model`)
  const own = samples[service][operation] ?? []
  const sample = chance() < 0.8 ? own[Math.floor(chance() * own.length)] : undefined
  const density = [0, 0, 0.02, 0.05, 0.15, 0.5][Math.floor(chance() * 6)] ?? 0
  const wild = chance() < 0.05 ? 0.05 : 0
  const likely = existing(store, tokens, service)
  return anyInput({ chance, likely, density, misfits: wild }, shape, sample)
}
