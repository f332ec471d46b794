import type { Ids } from '@berth/std/id.ts'
import { present } from '@berth/std/assert.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import type { AccessKey } from '#domain/identity.ts'
import {
  type Instance,
  instanceForgottenAfterMs,
  instanceRole,
  instanceState,
  type SecurityGroup,
  type Subnet,
  type Vpc,
} from '#domain/instance.ts'
import type { Transaction } from '#state/store.ts'
import type { Look, Reconciler } from './reconciler.ts'

/** All a provider needs to make an instance real. */
export interface InstanceSpec {
  readonly instance: Instance
  readonly vpc: Vpc
  readonly subnet: Subnet
  readonly securityGroups: readonly SecurityGroup[]
  readonly vcpu: number
  readonly memoryMiB: number
  /** The key of the instance's role, made for it alone. */
  readonly accessKey: AccessKey
}

/**
 * Makes instances real. Every verb may be repeated, brings the instance nearer to what is asked and takes a few seconds
 * at most. Implemented in adapters.
 */
export interface InstanceProvider {
  /**
   * The instance runs, at its present boot: launched, booted again, or found as it should be. An instance with an older
   * boot is shut down first, and is `pending` meanwhile, as it is while it boots. Throws when the instance cannot be
   * launched here, with words that say what to do; of a first launch nothing is left then, and of a later one its data.
   * `gone`: it ran here before, and somebody has removed it since.
   */
  run(spec: InstanceSpec): Promise<'running' | 'pending' | 'gone'>
  /** The instance does not run; its data is kept. */
  stop(instanceId: string): Promise<'stopped' | 'stopping'>
  /** Nothing is left of the instance. */
  terminate(instanceId: string): Promise<'terminated' | 'shutting-down'>
  /** The instances there is anything of. */
  observe(): Promise<readonly string[]>
}

type Effect =
  | { readonly kind: 'run'; readonly spec: InstanceSpec }
  | { readonly kind: 'stop' | 'terminate'; readonly instanceId: string }
  | { readonly kind: 'observe' }
type Outcome =
  | 'pending'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'shutting-down'
  | 'terminated'
  | { readonly failed: string }
  | { readonly observed: readonly string[] }

const lookAgainAfterMs = 500
/** The place where the provider is asked what it has. */
const observePlace = 'observe'

/**
 * Makes EC2 instances what they should be. A launch that fails ends in `terminated` with the reason in the row, as on AWS;
 * whatever fails later is tried again at the next look. From time to time every instance is shown to the provider again,
 * so one whose host was restarted boots again, and what no row knows is removed.
 */
export function instanceLifecycle(provider: InstanceProvider, ids: Ids): Reconciler<Effect, Outcome> {
  /** Instances that the provider has and no row knows. */
  let strangers: readonly string[] = []
  /** Instances to be shown to the provider though they seem to be as they should. */
  const unchecked = new Set<string>()
  return {
    name: 'instance-lifecycle',
    watches: { instance: (row) => row.instanceId },
    periodMs: 10_000,
    placeOf: (effect) => instanceOf(effect) ?? observePlace,

    // As places, so that no instance is acted on twice at a time, as two launches of it would take each other down.
    everywhere(view) {
      const known = view.list('instance').map(({ instanceId }) => instanceId)
      for (const instanceId of known) unchecked.add(instanceId)
      return [...known, ...strangers, observePlace]
    },

    reconcile(tx, now, places = new Set()) {
      const looks = [...places].map((place): Look<Effect> => {
        if (place === observePlace) return { effects: [{ kind: 'observe' }] }
        const row = tx.find('instance', place)
        const isStranger = strangers.includes(place) && isGone(row)
        if (isStranger) return { effects: [{ kind: 'terminate', instanceId: place }] }
        return row ? look(tx, row, now, ids, unchecked.delete(place)) : {}
      })
      return {
        effects: looks.flatMap(({ effects = [] }) => effects),
        again: looks.flatMap(({ again = [] }) => again),
      }
    },

    perform: (effect) => perform(provider, effect),

    settle(tx, now, effect, outcome) {
      if (typeof outcome === 'object' && 'observed' in outcome) {
        // A row comes before its instance, so what has none now never will.
        strangers = outcome.observed.filter((id) => isGone(tx.find('instance', id)))
        return
      }
      const row = tx.find('instance', instanceOf(effect) ?? '')
      if (row === undefined || isGone(row)) return
      if (typeof outcome === 'object') return end(tx, row, now, outcome.failed)
      if (outcome === 'terminated') return end(tx, row, now)
      // What was asked meanwhile wins: the next look sees that the row and the provider differ.
      if (outcome === 'stopped' && row.desiredState === 'stopped')
        tx.put('instance', { ...row, state: outcome })
      if (outcome === 'running' && row.desiredState === 'running' && effect.kind === 'run') {
        const bootSeen = effect.spec.instance.boot
        if (row.state !== outcome || row.bootSeen !== bootSeen)
          tx.put('instance', { ...row, state: outcome, bootSeen })
      }
    },
  }
}

const instanceOf = (effect: Effect): string | undefined =>
  effect.kind === 'run'
    ? effect.spec.instance.instanceId
    : 'instanceId' in effect
      ? effect.instanceId
      : undefined
const isGone = (row: Instance | undefined): boolean => row === undefined || row.state === 'terminated'

function look(tx: Transaction, row: Instance, now: number, ids: Ids, check: boolean): Look<Effect> {
  const { instanceId } = row
  if (isGone(row)) {
    const forgetAt = row.forgetAt ?? now
    if (now < forgetAt) return { again: [{ place: instanceId, at: forgetAt }] }
    tx.delete('instance', instanceId)
    tx.delete('resourceTags', `arn:aws:ec2:${row.region}:${row.accountId}:instance/${instanceId}`)
    return {}
  }
  const state = instanceState(row)
  if (state !== row.state) tx.put('instance', { ...row, state })
  const again = [{ place: instanceId, at: now + lookAgainAfterMs }]
  switch (row.desiredState) {
    case 'running': {
      const asItShould = state === 'running' && row.bootSeen === row.boot
      if (asItShould && !check) return {}
      return { effects: [{ kind: 'run', spec: specOf(tx, row, ids) }], again: asItShould ? [] : again }
    }
    case 'stopped':
      return state === 'stopped' ? {} : { effects: [{ kind: 'stop', instanceId }], again }
    case 'terminated':
      return { effects: [{ kind: 'terminate', instanceId }], again }
  }
}

async function perform(provider: InstanceProvider, effect: Effect): Promise<Outcome> {
  switch (effect.kind) {
    case 'run':
      try {
        const outcome = await provider.run(effect.spec)
        return outcome === 'gone' ? { failed: 'the instance was removed from its machine' } : outcome
      } catch (error) {
        if (effect.spec.instance.bootSeen > 0) throw error
        return { failed: error instanceof Error ? error.message : String(error) }
      }
    case 'stop':
      return provider.stop(effect.instanceId)
    case 'terminate':
      return provider.terminate(effect.instanceId)
    case 'observe':
      return { observed: await provider.observe() }
  }
}

function specOf(tx: Transaction, instance: Instance, ids: Ids): InstanceSpec {
  const type = present(instanceTypes.get(instance.instanceType), `instance type ${instance.instanceType}`)
  return {
    instance,
    vpc: present(tx.find('vpc', instance.vpcId), `VPC ${instance.vpcId}`),
    subnet: present(tx.find('subnet', instance.subnetId), `subnet ${instance.subnetId}`),
    securityGroups: instance.securityGroupIds.flatMap((groupId) => tx.find('securityGroup', groupId) ?? []),
    vcpu: type.vcpu,
    memoryMiB: type.memoryMiB,
    accessKey: accessKeyOf(tx, instance, ids),
  }
}

/** The instance's own key, as an assumed role: made at its first launch, gone with the instance. */
function accessKeyOf(tx: Transaction, instance: Instance, ids: Ids): AccessKey {
  const { principalArn, userId } = instanceRole(instance)
  const [known] = tx.by('accessKey', 'principal', principalArn)
  if (known) return known
  const made: AccessKey = {
    accessKeyId: `ASIA${ids.hex(16).toUpperCase()}`,
    secretAccessKey: ids.hex(40),
    sessionToken: ids.hex(128),
    accountId: instance.accountId,
    principalArn,
    userId,
  }
  tx.put('accessKey', made)
  return made
}

function end(tx: Transaction, row: Instance, now: number, failure?: string): void {
  for (const key of tx.by('accessKey', 'principal', instanceRole(row).principalArn))
    tx.delete('accessKey', key.accessKeyId)
  const code = 'Server.InternalError'
  tx.put('instance', {
    ...row,
    desiredState: 'terminated',
    state: 'terminated',
    forgetAt: now + instanceForgottenAfterMs,
    ...(failure !== undefined && {
      stateReason: { code, message: `${code}: ${failure}` },
      stateTransitionReason: code,
    }),
  })
}
