/** How the plan for daemons sees an instance. */
import type { DaemonPlace } from './daemon-plan.ts'
import type { InstanceLoad } from './placement/instance-load.ts'
import type { Standing } from './rollout.ts'
import type { Task } from './task.ts'

/**
 * An instance with the tasks of one daemon on it, STOPPED ones left out. `load` is undefined when it is no more: nobody
 * will tell of its tasks' end, so they wait for nothing. `fits` says whether such tasks belong on an instance; `isAlone`,
 * whether nothing but daemons runs there.
 */
export function daemonPlace({
  containerInstanceArn,
  load,
  fits,
  tasks,
  standings,
  isAlone,
}: {
  readonly containerInstanceArn: string
  readonly load: InstanceLoad | undefined
  readonly fits: (load: InstanceLoad) => boolean
  readonly tasks: readonly Task[]
  /** By task, those that are to run. */
  readonly standings: ReadonlyMap<string, Standing>
  readonly isAlone: (containerInstanceArn: string) => boolean
}): DaemonPlace {
  const state = load ? stateOf(load, fits) : 'closed'
  const wanted = tasks.flatMap(({ taskArn }) => standings.get(taskArn) ?? [])
  return {
    containerInstanceArn,
    state,
    tasks: wanted,
    leaving: wanted.length < tasks.length,
    alone: state === 'closing' && wanted.length > 0 && isAlone(containerInstanceArn),
  }
}

function stateOf(load: InstanceLoad, fits: (load: InstanceLoad) => boolean): DaemonPlace['state'] {
  switch (load.instance?.status) {
    case 'ACTIVE':
      if (!fits(load)) return 'closed'
      return load.instance.agentConnected ? 'open' : 'away'
    case 'REGISTERING':
      return 'away'
    case 'DRAINING':
    case 'DEREGISTERING':
      return 'closing'
    case 'INACTIVE':
    case undefined:
      return 'closed'
  }
}
