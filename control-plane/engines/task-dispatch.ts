import { lacksInterface } from '#domain/network-interface.ts'
import type { DesiredStatus, Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** The agents this control plane holds a session with. Implemented in adapters/agent-gateway. */
export interface Agents {
  /** What the agent's present session was told, by task ARN; undefined while no session is open. */
  told(containerInstanceArn: string): ReadonlyMap<string, DesiredStatus> | undefined
  /**
   * Sends the present state of each task and remembers it as told. What the agent does not acknowledge in time is
   * forgotten again, so that the next look tells it once more.
   */
  tell(containerInstanceArn: string, taskArns: readonly string[]): Promise<void>
}

interface Assignment {
  readonly containerInstanceArn: string
  readonly taskArns: readonly string[]
}

/**
 * Tells each connected agent of every task whose desired state its present session has not been told. While a managed
 * daemon of the instance starts, other tasks that are to start wait for it.
 */
export function taskDispatch(agents: Agents): Reconciler<Assignment> {
  return {
    name: 'task-dispatch',
    watches: {
      task: (row) => row.containerInstanceArn,
      containerInstance: (row) => row.containerInstanceArn,
    },
    // What an agent did not acknowledge is told again after this time at most.
    periodMs: 10_000,
    // The first task is told of at once; of many that come together, those of an instance are found in one look.
    paceMs: 10,
    everywhere: (view) => view.list('containerInstance').map((row) => row.containerInstanceArn),
    reconcile: (tx, _, places = new Set()) => ({
      effects: [...places].flatMap((place) => {
        const assignment = assign(tx, agents, place)
        return assignment ? [assignment] : []
      }),
    }),
    placeOf: ({ containerInstanceArn }) => containerInstanceArn,
    perform: ({ containerInstanceArn, taskArns }) => agents.tell(containerInstanceArn, taskArns),
  }
}

/** Whether a task is to run and does not yet. */
function isComing({ desiredStatus, lastStatus }: Task): boolean {
  return desiredStatus === 'RUNNING' && lastStatus !== 'RUNNING'
}

function assign(view: View, agents: Agents, containerInstanceArn: string): Assignment | undefined {
  const told = agents.told(containerInstanceArn)
  if (!told) return undefined
  const tasks = view.by('task', 'containerInstance', containerInstanceArn)
  // Managed daemons go first: what applications rely on is there before them.
  const daemonsComing = tasks.some((task) => task.daemonArn !== undefined && isComing(task))
  const taskArns = tasks
    .filter((task) => told.get(task.taskArn) !== task.desiredStatus)
    // Its agent is told of a task together with the network interface that it gets.
    .filter((task) => task.desiredStatus === 'STOPPED' || !lacksInterface(task))
    .filter((task) => !(daemonsComing && task.daemonArn === undefined && isComing(task)))
    .map((task) => task.taskArn)
  return taskArns.length > 0 ? { containerInstanceArn, taskArns } : undefined
}
