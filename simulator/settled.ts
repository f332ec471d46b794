import { controllerOf, type Service } from '@berth/control-plane/domain/service.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { computedDesiredCount } from '@berth/control-plane/domain/task-set.ts'
import type { Store } from '@berth/control-plane/state/store.ts'
import { unsettledDaemons } from './daemon-laws.ts'
import type { Host } from './host.ts'
import type { World } from './world.ts'

/** Undefined once everything is as it should be; before, what is not. */
export function unsettled(world: World): string | undefined {
  const store = world.controlPlane?.store
  if (!store) return 'the control plane is down'
  return (
    unsettledServices(store) ??
    unsettledDaemons(store) ??
    firstOf(world.expectations, (expectation) => expectation(world)) ??
    unsettledTasks(world, store) ??
    unsettledMachines(world, store)
  )
}

function firstOf<T>(items: Iterable<T>, lackOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const lack = lackOf(item)
    if (lack !== undefined) return lack
  }
  return undefined
}

function unsettledServices(store: Store): string | undefined {
  return firstOf(store.list('service'), (service) => {
    const { serviceArn, status, desiredCount } = service
    if (status === 'INACTIVE') return undefined
    if (status !== 'ACTIVE') return `${serviceArn} is ${status}`
    const tasks = store.by('task', 'service', serviceArn)
    if (controllerOf(service) === 'EXTERNAL') return unsettledTaskSets(store, service)
    const running = tasks.filter(
      (task) => task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING',
    ).length
    if (running !== desiredCount || tasks.length !== running)
      return `${serviceArn} has ${running} running of ${tasks.length} tasks, not ${desiredCount}`
    const deployments = store.by('deployment', 'service', serviceArn)
    if (deployments.length !== 1 || deployments[0]?.rolloutState !== 'COMPLETED')
      return `${serviceArn} has the deployments ${JSON.stringify(deployments)}`
    const unfinished = store.by('serviceDeployment', 'unfinished', serviceArn)
    if (unfinished.length > 0) return `${serviceArn} still deploys: ${JSON.stringify(unfinished)}`
    return undefined
  })
}

function unsettledTaskSets(store: Store, { serviceArn, desiredCount }: Service): string | undefined {
  const ids = new Set<string>()
  const lack = firstOf(store.by('taskSet', 'service', serviceArn), (taskSet) => {
    ids.add(taskSet.id)
    const tasks = store.by('task', 'deployment', taskSet.id)
    const computed = computedDesiredCount(taskSet, desiredCount)
    if (taskSet.status === 'DRAINING') return `${taskSet.id} drains`
    return tasks.length === computed && taskSet.stability?.status === 'STEADY_STATE'
      ? undefined
      : `${taskSet.id} has ${tasks.length} tasks, not ${computed}, and is ${taskSet.stability?.status}`
  })
  return (
    lack ??
    firstOf(store.by('task', 'service', serviceArn), ({ taskArn, deploymentId = '' }) =>
      ids.has(deploymentId) ? undefined : `${taskArn} is of no task set`,
    )
  )
}

/** Every task that is not STOPPED runs as it should, where it should, and nothing else does. */
function unsettledTasks(world: World, store: Store): string | undefined {
  const tasks = new Map<string, Task>()
  for (const task of store.list('task')) if (task.lastStatus !== 'STOPPED') tasks.set(task.taskArn, task)
  const found = new Set<string>()
  const strange = firstOf(world.hosts, (host) => {
    const ports = new Set<string>()
    return firstOf(host.running(), ({ labels, body }) => {
      const taskArn = labels['com.amazonaws.ecs.task-arn'] ?? ''
      const name = labels['com.amazonaws.ecs.container-name'] ?? ''
      const task = tasks.get(taskArn)
      if (task?.containerInstanceArn !== host.agent?.identity().containerInstanceArn)
        return `${name} of ${taskArn} runs on ${host.instanceId}, where it should not`
      found.add(`${taskArn} ${name}`)
      for (const port of publishedPorts(body)) {
        if (ports.has(port)) return `two containers publish ${port} of ${host.instanceId}`
        ports.add(port)
        const bindings = task?.containers.find((container) => container.name === name)?.networkBindings
        if (!bindings?.some(({ protocol, hostPort }) => `${protocol}:${hostPort}` === port))
          return `${name} of ${taskArn} publishes ${port}, of which it does not tell`
      }
      return undefined
    })
  })
  return (
    strange ??
    firstOf(tasks.values(), (task) => {
      const { taskArn, lastStatus, desiredStatus } = task
      if (lastStatus !== 'RUNNING' || desiredStatus !== 'RUNNING')
        return `${taskArn} is ${lastStatus} and should be ${desiredStatus}`
      return firstOf(world.definitionsOf(taskArn), ({ name, essential }) =>
        essential === false || found.has(`${taskArn} ${name}`)
          ? undefined
          : `${taskArn} is RUNNING without its container ${name}`,
      )
    })
  )
}

function publishedPorts({ HostConfig }: ReturnType<Host['running']>[number]['body']): string[] {
  return Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) =>
    bindings.map(({ HostPort }) => `${port.slice(port.indexOf('/') + 1)}:${HostPort}`),
  )
}

/** The provider has the instances that the rows want, and no others. */
function unsettledMachines({ provider }: World, store: Store): string | undefined {
  if (!provider) return undefined
  const rows = store.list('instance').filter(({ state }) => state !== 'terminated')
  const wrong = firstOf(rows, ({ instanceId, state, desiredState, boot }) => {
    const machine = provider.machines.get(instanceId)
    const asItShould =
      state === desiredState &&
      (desiredState === 'running'
        ? machine?.state === 'running' && machine.boot === boot
        : (machine?.state ?? 'stopped') === 'stopped')
    return asItShould
      ? undefined
      : `${instanceId} is ${state}, in truth ${machine?.state}, and should be ${desiredState}`
  })
  const known = new Set(rows.map(({ instanceId }) => instanceId))
  return (
    wrong ?? firstOf(provider.machines.keys(), (id) => (known.has(id) ? undefined : `${id} is left over`))
  )
}
