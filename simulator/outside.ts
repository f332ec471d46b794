/** What deployments ask the world, simulated: load balancers that take their time, hooks that fail, alarms that go off. */
import type {
  HookPayload,
  Hooks,
  Traffic,
  TrafficWeights,
} from '@berth/control-plane/engines/deployment-actions.ts'
import type { Alarms } from '@berth/control-plane/engines/service-scheduler-alarms.ts'
import type { Change, View } from '@berth/control-plane/state/store.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import type { Clock } from '@berth/std/clock.ts'
import { sleep } from '@berth/std/clock.ts'
import type { Chance } from './chance.ts'

/** Reaching the world failed, as it may: the control plane asks again. */
export class OutsideFault extends Error {}

export interface OutsideFaults {
  /** Probability that a call ends without an answer, before or after it took effect. */
  readonly unreachable: number
  /** Probability that traffic cannot be shifted, or that a hook says no. Traffic can always go back. */
  readonly refusal: number
  /** Probability, each time it is asked for, that an alarm changes its state. */
  readonly alarm: number
}

export class Outside {
  /** In percent, by service, kind and revision. */
  readonly #weights = new Map<string, ReadonlyMap<string, number>>()
  readonly #wanted = new Map<string, { readonly wanted: string; readonly at: number }>()
  readonly #inAlarm = new Set<string>()
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #faults: () => OutsideFaults | undefined

  constructor(clock: Clock, chance: Chance, faults: () => OutsideFaults | undefined) {
    this.#clock = clock
    this.#chance = chance
    this.#faults = faults
  }

  readonly traffic: Traffic = {
    shift: async (wanted) => {
      await this.#call()
      const isForward = (wanted.weights.at(-1)?.weight ?? 0) > 0
      if (isForward && this.#chance.happens(this.#faults()?.refusal ?? 0)) return 'FAILED'
      const key = `${wanted.serviceArn} ${wanted.kind}`
      const text = JSON.stringify(wanted)
      let asked = this.#wanted.get(key)
      if (asked?.wanted !== text) {
        asked = { wanted: text, at: this.#clock.now() + this.#chance.between(0, 20_000) }
        this.#wanted.set(key, asked)
      }
      if (this.#clock.now() < asked.at) return 'IN_PROGRESS'
      this.#set(key, wanted)
      await this.#call()
      return 'DONE'
    },
  }

  readonly hooks: Hooks = {
    invoke: async (_, { lifecycleStage }: HookPayload) => {
      await this.#call()
      if (this.#chance.happens(this.#faults()?.refusal ?? 0)) return {}
      return this.#chance.happens(0.4)
        ? { hookStatus: 'IN_PROGRESS', callBackDelay: 10, hookDetails: { lifecycleStage } }
        : { hookStatus: 'SUCCEEDED' }
    },
  }

  readonly alarms: Alarms = {
    inAlarm: (names) => {
      for (const name of names)
        if (this.#chance.happens(this.#faults()?.alarm ?? 0))
          if (!this.#inAlarm.delete(name)) this.#inAlarm.add(name)
      return names.filter((name) => this.#inAlarm.has(name))
    },
  }

  /** How much of the service's production traffic the revision has; undefined while nothing has been shifted. */
  weightOf(serviceArn: string, serviceRevisionArn: string): number | undefined {
    const weights = this.#weights.get(`${serviceArn} production`)
    return weights && (weights.get(serviceRevisionArn) ?? 0)
  }

  #set(key: string, { weights }: TrafficWeights): void {
    this.#weights.set(key, new Map(weights.map((one) => [one.serviceRevisionArn, one.weight])))
  }

  async #call(): Promise<void> {
    await sleep(this.#clock, this.#chance.between(1, 500))
    if (this.#chance.happens((this.#faults()?.unreachable ?? 0) / 2)) throw new OutsideFault('timed out')
  }
}

/**
 * No revision that has traffic is scaled in below what the service desires. Undefined when the changes break nothing;
 * services whose deployments do not shift traffic have none here.
 */
export function brokenTrafficLaw(
  view: View,
  changes: ReadonlyArray<Change<'task'>>,
  outside: Outside,
): string | undefined {
  for (const { before, after } of changes) {
    if (!after || before?.desiredStatus !== 'RUNNING' || !isScaledIn(after)) continue
    const service = view.find('service', after.serviceArn ?? '')
    const deployment = view.find('deployment', after.deploymentId ?? '')
    if (service?.status !== 'ACTIVE' || !deployment) continue
    const weight = outside.weightOf(service.serviceArn, deployment.serviceRevisionArn ?? '') ?? 0
    const left = view
      .by('task', 'deployment', deployment.deploymentId)
      .filter((task) => task.desiredStatus === 'RUNNING').length
    const instance = view.find('containerInstance', after.containerInstanceArn ?? '')
    if (weight > 0 && left < service.desiredCount && instance?.status === 'ACTIVE' && instance.agentConnected)
      return `${deployment.deploymentId} has ${weight} % of the traffic and was left with ${left} tasks`
  }
  return undefined
}

function isScaledIn({ stopCode, stoppedReason = '' }: Task): boolean {
  return stopCode === 'ServiceSchedulerInitiated' && stoppedReason.startsWith('Scaling activity')
}
