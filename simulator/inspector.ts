/** Looks at a whole control plane now and then: at what holds between all its rows, and at what its answers say of them. */
import { brokenInvariants, brokenTables } from '@berth/control-plane/state/invariants.ts'
import { brokenAnswer } from './answer-laws.ts'
import type { ControlPlane } from './control-plane.ts'

/** What takes longest is done each so many times. */
const tablesEvery = 4

export class Inspector {
  #inspections = 0
  readonly #fail: (broken: string) => void

  constructor(fail: (broken: string) => void) {
    this.#fail = fail
  }

  inspect(controlPlane: ControlPlane): void {
    const { store, fleet } = controlPlane
    const [broken] = [
      ...brokenInvariants(store, fleet),
      ...(++this.#inspections % tablesEvery === 0 ? brokenTables(store) : []),
    ]
    const said = broken ?? brokenAnswer(store, (name, input) => controlPlane.ask(name, input))
    if (said !== undefined) this.#fail(said)
  }
}
