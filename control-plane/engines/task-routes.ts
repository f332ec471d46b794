// Leads this machine to the addresses of tasks, and keeps the networks of different VPCs apart.
import type { View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** An address on the instances' network. */
export interface NetworkMember {
  readonly address: string
  readonly vpcId: string
  /** A task's: the address of the instance that carries it. Absent: an instance's own. */
  readonly via?: string
}

/** Makes the machine route as told; idempotent. Implemented by the instance provider; another may route between machines. */
export interface TaskRoutes {
  /** All members there are, in the order of their addresses. False when nothing here carries instances yet. */
  set(members: readonly NetworkMember[]): Promise<boolean>
}

/**
 * What is: what the machine was last told, which is nothing after a start. What should be: a route for each task's
 * interface by the instance that carries it. There is one place, as the members are told together.
 */
export function taskRoutes(routes: TaskRoutes): Reconciler<readonly NetworkMember[]> {
  let told: string | undefined
  return {
    name: 'task-routes',
    watches: { networkInterface: () => 'all', instance: () => 'all' },
    periodMs: 60_000,
    everywhere: () => ['all'],
    paceMs: 20,
    reconcile: (tx) => {
      const members = membersOf(tx)
      return JSON.stringify(members) === told ? {} : { effects: [members] }
    },
    perform: async (members) => {
      told = undefined
      if (await routes.set(members)) told = JSON.stringify(members)
    },
  }
}

function membersOf(view: View): NetworkMember[] {
  const instances = view.list('instance').filter(({ state }) => state !== 'terminated')
  const tasks = view.list('networkInterface').flatMap(({ instanceId = '', privateIpAddress, vpcId }) => {
    const via = view.find('instance', instanceId)?.privateIpAddress
    return via === undefined ? [] : [{ address: privateIpAddress, vpcId, via }]
  })
  const own = instances.map(({ privateIpAddress, vpcId }) => ({ address: privateIpAddress, vpcId }))
  return [...own, ...tasks].toSorted((one, other) => (one.address < other.address ? -1 : 1))
}
