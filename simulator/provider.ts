import type { InstanceProvider } from '@berth/control-plane/engines/instance-lifecycle.ts'
import type { Instance } from '@berth/control-plane/domain/instance.ts'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { Chance } from './chance.ts'
import type { Host } from './host.ts'
import type { Life } from './life.ts'

/** What a provider throws because it was told to fail. */
export class ProviderFault extends Error {}

interface Machine {
  readonly host: Host
  boot: number
  state: 'stopped' | 'booting' | 'running' | 'stopping' | 'ending'
}

export interface ProviderOptions {
  readonly clock: Clock
  readonly chance: Chance
  /** Probability that a call fails, before or after it took effect. */
  readonly failure: () => number
  readonly makeHost: (instance: Instance) => Host
}

/** Makes EC2 instances of simulated hosts, slowly. Its machines outlive the control planes that ask for them. */
export class SimulatedProvider {
  readonly machines = new Map<string, Machine>()
  readonly #options: ProviderOptions

  constructor(options: ProviderOptions) {
    this.#options = options
  }

  /** The provider as one process sees it. What it was asked for as the process ended happens, or does not. */
  of(life: Life): InstanceProvider {
    const call = async <T>(effect: () => T): Promise<T> => {
      const { clock, chance, failure } = this.#options
      await sleep(clock, chance.between(5, chance.happens(0.1) ? 15_000 : 500))
      if (!life.alive && chance.happens(0.5)) return new Promise(() => undefined)
      if (chance.happens(failure())) throw new ProviderFault('the provider failed before it did anything')
      const result = effect()
      if (chance.happens(failure())) throw new ProviderFault('the provider failed after it had done it')
      return result
    }
    return {
      run: ({ instance }) => {
        const { instanceId, bootSeen } = instance
        const answer = call(() => this.#run(instance)).catch((error: unknown) => {
          if (bootSeen === 0) this.lose(instanceId)
          throw error
        })
        return life.receive(answer)
      },
      stop: (instanceId) => life.receive(call(() => this.#stop(instanceId))),
      terminate: (instanceId) => life.receive(call(() => this.#terminate(instanceId))),
      observe: () => life.receive(call(() => [...this.machines.keys()])),
    }
  }

  /** Somebody removes the machine, and tells nobody. */
  lose(instanceId: string): void {
    this.machines.get(instanceId)?.host.lose()
    this.machines.delete(instanceId)
  }

  #run(instance: Instance): 'running' | 'pending' | 'gone' {
    const { instanceId, boot, bootSeen } = instance
    let machine = this.machines.get(instanceId)
    if (!machine) {
      if (bootSeen > 0) return 'gone'
      machine = { host: this.#options.makeHost(instance), boot, state: 'stopped' }
      this.machines.set(instanceId, machine)
    }
    if (machine.state === 'running' && machine.boot >= boot) return 'running'
    if (machine.state === 'running') this.#halt(machine)
    else if (machine.state === 'stopped') {
      const { host } = machine
      machine.boot = boot
      this.#change(machine, 'booting', 'running', () => host.boot())
    }
    return 'pending'
  }

  #stop(instanceId: string): 'stopped' | 'stopping' {
    const machine = this.machines.get(instanceId)
    if (!machine || machine.state === 'stopped') return 'stopped'
    if (machine.state === 'running') this.#halt(machine)
    return 'stopping'
  }

  #terminate(instanceId: string): 'terminated' | 'shutting-down' {
    const machine = this.machines.get(instanceId)
    if (!machine) return 'terminated'
    if (machine.state !== 'ending') {
      machine.host.lose()
      this.#change(machine, 'ending', 'stopped', () => this.machines.delete(instanceId))
    }
    return 'shutting-down'
  }

  #halt(machine: Machine): void {
    machine.host.halt()
    this.#change(machine, 'stopping', 'stopped', () => undefined)
  }

  /** After some seconds in `during` the machine is `after`, unless something else became of it meanwhile. */
  #change(machine: Machine, during: Machine['state'], after: Machine['state'], done: () => void): void {
    const { clock, chance } = this.#options
    machine.state = during
    clock.at(clock.now() + chance.between(1_000, 15_000), () => {
      if (machine.state !== during) return
      machine.state = after
      done()
    })
  }
}
