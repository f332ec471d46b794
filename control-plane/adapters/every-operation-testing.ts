/** Calls of any operation with any input, and all that can be wrong with what comes of them. For tests. */
import { readFileSync } from 'node:fs'
import * as ec2Sdk from '@aws-sdk/client-ec2'
import * as ecrSdk from '@aws-sdk/client-ecr'
import * as ecsSdk from '@aws-sdk/client-ecs'
import { prng } from '@berth/std/prng.ts'
import { loadModel } from '@berth/wire/model.ts'
import type { Shape } from '@berth/wire/shape.ts'
import { arnName } from '#domain/arn.ts'
import { observeAgentConnected } from '#domain/container-instance.ts'
import { observeTask, type Task } from '#domain/task.ts'
import { daemonScheduler } from '#engines/daemon-scheduler.ts'
import { instanceLiveness } from '#engines/instance-liveness.ts'
import type { Reconciler } from '#engines/reconciler.ts'
import { serviceScheduler } from '#engines/service-scheduler.ts'
import { taskReaper } from '#engines/task-reaper.ts'
import { brokenInvariants, brokenTables, overfull } from '#state/invariants.ts'
import type { Store } from '#state/store.ts'
import { tableNames, tables } from '#state/tables.ts'
import { anyInput, enumsOf, type Maker } from './any-input-testing.ts'
import { type Answered, type ApiWorld, apiWorld, type CalledService } from './api-world-testing.ts'
import { digest, prelude, pushed, running, samples } from './samples-testing.ts'

const models = { ecs: await loadModel('ecs'), ecr: await loadModel('ecr'), ec2: await loadModel('ec2') }

/** What may be answered of any operation: the framework's errors, and that Berth lacks something. */
const always = ['SerializationException', 'InvalidParameterException', 'UnsupportedFeatureException']
/** What AWS answers, though its model does not say so. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  TagResource: ['ServiceNotFoundException'],
  UntagResource: ['ServiceNotFoundException'],
  ListTagsForResource: ['ServiceNotFoundException'],
}
const modelled = new Map<string, readonly string[]>()

/** The errors that the SDK documents of an operation; its runtime schemas do not name them. */
function errorsOf(service: CalledService, operation: string): readonly string[] {
  const key = `${service}:${operation}`
  let errors = modelled.get(key)
  if (!errors) {
    const file = new URL(
      `dist-types/commands/${operation}Command.d.ts`,
      import.meta.resolve(`@aws-sdk/client-${service}/package.json`),
    )
    const named = readFileSync(file, 'utf8').matchAll(/@throws \{@link (\w+)\}/g)
    errors = [...always, ...(beyond[operation] ?? []), ...[...named].map(([, name = '']) => name)]
    modelled.set(key, errors)
  }
  return errors
}

const enums = { ecs: enumsOf(ecsSdk), ecr: enumsOf(ecrSdk), ec2: enumsOf(ec2Sdk) }
const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '')

/** What there is, by kind, under every name a caller might use; and tokens of pages that were not the last. */
export function existing(
  store: Store,
  tokens: readonly string[],
  service: CalledService = 'ecs',
): Maker['likely'] {
  const kinds = new Map<string, string[]>([
    ['nexttoken', [...tokens]],
    ['registryid', ['000000000000']],
  ])
  const note = (kind: string, ref: string): void => {
    const known = kinds.get(kind)
    if (known) known.push(ref)
    else kinds.set(kind, [ref])
  }
  for (const table of tableNames)
    for (const row of store.list(table)) {
      const key = tables[table].key(row as never)
      const [kind, ref] = referenceOf(key)
      if (kind === undefined || ref === undefined) continue
      note(kind, key)
      if (ref !== key) note(kind, ref)
      if (kind.endsWith('id')) note('resources', key)
      if (key.startsWith(`arn:aws:${service}:`)) note('resourcearn', key)
      if (kind === 'containerinstance') note('targetid', key)
      if (kind === 'taskdefinition') note('family', ref.replace(/:.*/, ''))
    }
  return (member, struct) => {
    const name = plain(member)
    const kind = [...kinds.keys()]
      .filter((each) => name.includes(each))
      .toSorted((a, b) => b.length - a.length)[0]
    const refs = kind === undefined ? [] : (kinds.get(kind) ?? [])
    return refs.length > 0 ? refs : enums[service](member, struct)
  }
}

const ec2Kinds: Readonly<Record<string, string>> = {
  i: 'instanceid',
  subnet: 'subnetid',
  vpc: 'vpcid',
  sg: 'groupid',
}

/** Of what kind the thing with that key is, and its name. */
function referenceOf(key: string): readonly [kind?: string, name?: string] {
  // An image or a layer, which is named by the digest within its repository.
  if (key.includes('@')) return []
  const [, , service, , , resource] = key.split(':')
  if (resource !== undefined && key.startsWith('arn:aws:ec') && service)
    return [plain(resource.slice(0, resource.indexOf('/'))), arnName(key)]
  const kind = ec2Kinds[key.slice(0, key.indexOf('-'))]
  return kind === undefined ? [] : [kind, key]
}

/** Where an answer is not as its shape says. */
function misfits(shape: Shape, value: unknown, path: string): string[] {
  if (value === undefined) return []
  switch (shape.kind) {
    case 'struct':
      return Object.entries(value as object).flatMap(([name, each]) => {
        const member = shape.members.get(name)
        return member
          ? misfits(member.shape, each, `${path}.${name}`)
          : [`${path}.${name} is not in the model`]
      })
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((each, index) => misfits(shape.item, each, `${path}[${index}]`))
        : [`${path} is no list`]
    case 'map':
      return Object.entries(value as object).flatMap(([key, each]) =>
        misfits(shape.value, each, `${path}.${key}`),
      )
    case 'string':
    case 'blob':
      return typeof value === 'string' ? [] : [`${path} is no text`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is neither true nor false`]
    case 'integer':
    case 'number':
    case 'timestamp':
      return typeof value === 'number' ? [] : [`${path} is no number`]
    case 'document':
      return []
  }
}

/** The key that signs page tokens, and EC2's default network: whoever first looks for them finds them. */
const madeWhenNeeded: readonly string[] = ['installationSecret', 'vpc', 'subnet', 'securityGroup']

/** All that is wrong with an answer and with what the call left behind. */
function wrongs(
  { context }: ApiWorld,
  service: CalledService,
  operation: string,
  answered: Answered,
): string[] {
  const { status, code, message, body, changes, faults } = answered
  // EC2's model names no errors, and its answers are XML, which wire's own tests look at.
  const modelled = service !== 'ec2'
  const output = modelled ? models[service].get(operation)?.output : undefined
  const written = changes.map(({ table }) => table).filter((table) => !madeWhenNeeded.includes(table))
  return [
    ...faults.map((fault) => `failed: ${fault instanceof Error ? fault.stack : String(fault)}`),
    ...(status < 500 ? [] : [`answered ${status}`]),
    ...(code === undefined || !modelled || errorsOf(service, operation).includes(code)
      ? []
      : [`answered ${code} (${message}), which the model does not have for it`]),
    ...(code === undefined || message !== '' ? [] : [`answered ${code} without a message`]),
    ...(code === undefined && output ? misfits(output, body, 'the answer') : []),
    ...(code === undefined || written.length === 0
      ? []
      : [`was refused with ${code} and changed ${written.join(', ')}`]),
    ...(/^(?:Describe|List|Get|Discover)/.test(operation) && written.length > 0
      ? [`only reads, and changed ${written.join(', ')}`]
      : []),
    ...(changes.length > 0 ? brokenInvariants(context.store, context.fleet) : []),
    ...overfull(
      context.store,
      changes.flatMap(({ table, before, after }) =>
        table === 'task' && !before && after ? [after as Task] : [],
      ),
    ),
  ]
}

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
 * Runs the steps from the beginning of a world; the first thing that is wrong, with the calls that led to it. `observe` is
 * shown each operation with its answer.
 */
export async function firstWrong(
  steps: readonly Step[],
  observe: (operation: string, answered: Answered) => void = () => undefined,
): Promise<string | undefined> {
  const world = await apiWorld()
  const tokens: string[] = []
  const log: string[] = []
  for (const [operation, input] of prelude) await world.call('ecs', operation, input)
  meanwhile['agents connect']?.(world, prng(0))
  if ((steps[0]?.seed ?? 0) % 2 === 0) await start(world)
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
      if (typeof answered.body['nextToken'] === 'string') tokens.push(answered.body['nextToken'])
      log.push(`  → ${answered.code ?? 'done'} ${answered.message}`)
      wrong = wrongs(world, service, operation, answered)
      observe(what, answered)
    }
    if (wrong.length > 0) return `${what}: ${wrong.join('; ')}\nafter\n${log.join('\n')}`
  }
  const wrong = brokenTables(world.context.store)
  return wrong.length > 0 ? `${wrong.join('; ')}\nafter\n${log.join('\n')}` : undefined
}

/** Services, tasks, a daemon, images and EC2 instances. */
export async function start(world: ApiWorld): Promise<void> {
  for (const [operation, input] of running) await world.call('ecs', operation, input)
  for (const [operation, input] of pushed) {
    await world.call('ecr', operation, input)
    meanwhile['a layer is pushed']?.(world, () => 0)
  }
  for (const input of samples['RunInstances'] ?? []) await world.call('ec2', 'RunInstances', input)
}

function calledBy(what: string): { readonly service: CalledService; readonly operation: string } {
  const [service = '', operation = ''] = what.split(':')
  return { service: service as CalledService, operation }
}

function inputOf(what: string, store: Store, tokens: readonly string[], chance: () => number): object {
  const { service, operation } = calledBy(what)
  const shape = models[service].get(operation)?.input
  if (!shape) throw new Error(`${what} is not in the model`)
  const own = samples[operation] ?? []
  const sample = chance() < 0.8 ? own[Math.floor(chance() * own.length)] : undefined
  const density = [0, 0, 0.02, 0.05, 0.15, 0.5][Math.floor(chance() * 6)] ?? 0
  const wild = chance() < 0.05 ? 0.05 : 0
  const likely = existing(store, tokens, service)
  return anyInput({ chance, likely, density, misfits: wild }, shape, sample)
}
