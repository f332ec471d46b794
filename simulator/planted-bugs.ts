/** Bugs to plant, so that it shows whether the simulator would find them. */

/** A piece of text that takes another's place. */
interface Patch {
  readonly file: string
  /** Stands exactly once in the file. */
  readonly right: string
  readonly wrong: string
}

export interface PlantedBug extends Patch {
  /** What is wrong then. */
  readonly name: string
  /** What is patched too, where one place makes good what another does wrong. */
  readonly also?: Patch
  /** Where it is looked for. */
  readonly scenario: string
}

const domain = 'control-plane/domain'
const engines = 'control-plane/engines'
const state = 'control-plane/state'

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'placement takes an instance that has any room for one that has enough',
    file: `${domain}/placement/admission.ts`,
    right: '(load) => free(load) >= wanted',
    wrong: '(load) => free(load) > 0',
    scenario: 'run-task',
  },
  {
    name: 'placement does not ask whether host ports are free',
    file: `${domain}/placement/admission.ts`,
    right: '(demand.ports.length > 0 ? portsFree',
    wrong: '(demand.ports.length > 1 ? portsFree',
    scenario: 'run-task',
  },
  {
    name: 'minimumHealthyPercent is ignored',
    file: `${domain}/rollout.ts`,
    right: 'Math.ceil((desiredCount * minimumHealthyPercent) / 100)',
    wrong: '0',
    scenario: 'rolling-update',
  },
  {
    name: 'maximumPercent lets one task too many start',
    file: `${domain}/rollout.ts`,
    right: 'Math.floor((desiredCount * maximumPercent) / 100)',
    wrong: 'Math.floor((desiredCount * maximumPercent) / 100) + 1',
    scenario: 'rolling-update',
  },
  {
    name: 'protection of tasks is ignored',
    file: `${domain}/rollout.ts`,
    right: "return !task.protected || task.phase === 'unhealthy'",
    wrong: "return !task.protected || task.phase !== 'pending'",
    scenario: 'task-protection',
  },
  {
    name: 'a row that changes stays under its old key of an index',
    file: `${state}/row-set.ts`,
    right: 'if (!includes(is, place)) remove(',
    wrong: 'if (!entry) remove(',
    scenario: 'run-task',
  },
  {
    name: 'effects are performed before what they rest on is durable',
    file: `${engines}/reconciler.ts`,
    right: '    await store.durable()\n    await Promise.all(effects',
    wrong: '    await Promise.all(effects',
    also: {
      file: 'control-plane/adapters/agent-gateway.ts',
      right: '    await this.#store.durable()\n    for (const payload of payloads) held',
      wrong: '    for (const payload of payloads) held',
    },
    scenario: 'control-plane-crashes',
  },
  {
    name: 'answers leave before what they say is durable',
    file: `${state}/store.ts`,
    right: 'if (position <= this.#durablePosition) return',
    wrong: 'if (position <= this.#position) return',
    scenario: 'run-task',
  },
  {
    name: 'what changes while the journal writes is not journaled',
    file: `${state}/store.ts`,
    right: '        this.#pending = new Map()\n        await this.#journal.append(rows)',
    wrong: '        await this.#journal.append(rows)\n        this.#pending = new Map()',
    scenario: 'service-scale',
  },
  {
    name: 'an agent that was told to run a task is not told to stop it',
    file: `${engines}/task-dispatch.ts`,
    right: 'told.get(task.taskArn) !== task.desiredStatus',
    wrong: 'told.get(task.taskArn) === undefined',
    scenario: 'task-protection',
  },
  {
    name: 'the agent acknowledges a stop and does not stop',
    file: 'agent/runtime/agent.ts',
    right: "if (task.desiredStatus === 'STOPPED') known.requestStop()",
    wrong: '',
    scenario: 'run-task',
  },
  {
    name: 'the agent starts a task anew that it has already',
    file: 'agent/runtime/agent.ts',
    right: '    if (known) {',
    wrong: "    if (known && task.desiredStatus === 'STOPPED') {",
    scenario: 'agent-crashes',
  },
  {
    name: 'a container is made again though its name is taken',
    file: 'agent/runtime/container-steps.ts',
    right: 'runtime.create(dockerName, body)',
    wrong: 'runtime.create(`${dockerName}${timers.now()}`, body)',
    scenario: 'agent-crashes',
  },
  {
    name: 'a task that runs is counted twice',
    file: `${domain}/placement/instance-load.ts`,
    right: 'this.runningTasksCount += sign',
    wrong: 'this.runningTasksCount += 2 * sign',
    scenario: 'run-task',
  },
  {
    name: 'a task on its way down counts as on its way up',
    file: `${domain}/task-counts.ts`,
    right: "pending.has(task.lastStatus) && task.desiredStatus === 'RUNNING'",
    wrong: 'pending.has(task.lastStatus)',
    scenario: 'scale-storms',
  },
  {
    name: 'events are shown oldest first',
    file: 'control-plane/api/ecs/services/show-service.ts',
    right: 'other.sequence - one.sequence',
    wrong: 'one.sequence - other.sequence',
    scenario: 'service-scale',
  },
  {
    name: 'stopped tasks are forgotten after a minute',
    file: `${engines}/task-reaper.ts`,
    right: 'const stoppedTaskKeptMs = hourMs',
    wrong: 'const stoppedTaskKeptMs = hourMs / 60',
    scenario: 'rolling-update',
  },
  {
    name: 'the tasks of a terminated host are kept',
    file: `${engines}/instance-liveness.ts`,
    right: '  loseTasks(tx, row, end, now)\n',
    wrong: '',
    scenario: 'instance-loss',
  },
  {
    name: 'a report that comes twice makes a task RUNNING anew',
    file: `${domain}/task.ts`,
    right: 'taskStatuses.indexOf(status) <= taskStatuses.indexOf(task.lastStatus)',
    wrong: 'taskStatuses.indexOf(status) < taskStatuses.indexOf(task.lastStatus)',
    scenario: 'chaos',
  },
  {
    name: 'Fargate gives more than it has to tasks on demand',
    file: `${engines}/fargate-capacity.ts`,
    right: 'if (!fits(room, left)) {',
    wrong: 'if (!fits(room, left) && isSpot(task)) {',
    scenario: 'fargate',
  },
  {
    name: 'Spot tasks do not make way',
    file: `${engines}/fargate-capacity.ts`,
    right: 'if (lacking !== noRoom) this.#preempt(add(lacking, left, -1))',
    wrong: '',
    scenario: 'fargate',
  },
  {
    name: 'a lost task keeps its version',
    file: `${domain}/task.ts`,
    right: 'return { ...ended(withCause(task, cause), cause.now), version: task.version + 1 }',
    wrong: 'return ended(withCause(task, cause), cause.now)',
    scenario: 'instance-loss',
  },
  {
    name: 'a new deployment leaves the one before PRIMARY',
    file: 'control-plane/api/ecs/services/service-deployment-begin.ts',
    right: "  tx.put('deployment', { ...deployment, status: 'ACTIVE', updatedAt: now })",
    wrong: '',
    scenario: 'rolling-update',
  },
  {
    name: 'the circuit breaker never breaks',
    file: `${domain}/rollout-circuit-breaker.ts`,
    right: 'Math.min(200, Math.max(3, share))',
    wrong: '10_000',
    scenario: 'circuit-breaker',
  },
  {
    name: 'a rollback forgets the traffic that was still to be brought back',
    file: `${domain}/rollout-lifecycle.ts`,
    right: 'back.production > 0 || back.scattered',
    wrong: 'back.production > 0',
    scenario: 'blue-green',
  },
]

export function patchesOf({ also, ...bug }: PlantedBug): readonly Patch[] {
  return also ? [bug, also] : [bug]
}
