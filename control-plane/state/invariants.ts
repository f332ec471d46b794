/** What holds of the rows after every transaction, whatever was asked for: checked by tests, from the rows alone. */
import { parseArn } from '#domain/arn.ts'
import type { Resource } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Service } from '#domain/service.ts'
import type { Task } from '#domain/task.ts'
import { defaultGroup } from '#domain/schedule/schedule.ts'
import type { Fleet } from './fleet.ts'
import { brokenServices } from './invariants-services.ts'
import type { View } from './store.ts'
import { familyKey, type IndexName, type TableName, tableNames, tables } from './tables.ts'

/** What is wrong with rows and indexes as such, whatever they mean. Takes longer than the rest. */
export function brokenTables(view: View): string[] {
  return tableNames.flatMap((table) => [
    ...brokenIndexes(view, table),
    ...view.list(table).flatMap((row) => brokenJson(row, table)),
  ])
}

/** Every invariant between rows that does not hold, in a sentence each. Walks all rows. */
export function brokenInvariants(view: View, fleet: Fleet): string[] {
  return [
    ...view.list('task').flatMap((task) => brokenTask(view, task)),
    ...view.list('service').flatMap((service) => brokenService(view, service)),
    ...view.list('containerInstance').flatMap((instance) => brokenInstance(view, fleet, instance)),
    ...brokenReferences(view),
    ...brokenTags(view),
    ...brokenServices(view),
  ]
}

/** Each index gives under each key the rows that have it, and counts them right. */
function brokenIndexes(view: View, table: TableName): string[] {
  const indexes = tables[table].indexes as Readonly<Record<string, (row: never) => unknown>>
  const rows: readonly object[] = view.list(table)
  return Object.entries(indexes).flatMap(([index, keysOf]) => {
    const expected = new Map<string, number>()
    for (const row of rows)
      for (const key of new Set([keysOf(row as never) ?? []].flat() as string[]))
        expected.set(key, (expected.get(key) ?? 0) + 1)
    return [...expected].flatMap(([key, count]) => {
      const name = index as IndexName<typeof table>
      const found = [view.count(table, name, key), view.by(table, name, key).length]
      return found.every((each) => each === count)
        ? []
        : [`${table} has ${count} rows with the ${index} ${key}, its index says ${found.join(' and ')}`]
    })
  })
}

/** Rows are JSON: what is not is another thing, or nothing, after a restart. */
function brokenJson(value: unknown, path: string): string[] {
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value)) return []
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`]
  if (Array.isArray(value)) return value.flatMap((item, index) => brokenJson(item, `${path}[${index}]`))
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype !== Object.prototype && prototype !== null) return [`${path} is no JSON`]
  return Object.entries(value as object).flatMap(([name, each]) => brokenJson(each, `${path}.${name}`))
}

function brokenTask(view: View, task: Task): string[] {
  const { taskArn, lastStatus, desiredStatus, containers } = task
  const lacks = (table: TableName, key: string | undefined): string[] =>
    key === undefined || view.find(table, key)
      ? []
      : [`${taskArn} is of the ${table} ${key}, which is not there`]
  if (lastStatus === 'STOPPED')
    return [
      ...(desiredStatus === 'STOPPED' ? [] : [`${taskArn} is STOPPED and is to run`]),
      ...(task.stoppedAt === undefined ? [`${taskArn} is STOPPED, and nobody knows since when`] : []),
      ...(containers.every((container) => container.lastStatus === 'STOPPED')
        ? []
        : [`${taskArn} is STOPPED and has a container that is not`]),
    ]
  return [
    ...lacks('cluster', task.clusterArn),
    ...lacks('taskDefinition', task.taskDefinitionArn),
    ...lacks('containerInstance', task.containerInstanceArn),
    ...lacks('service', task.serviceArn),
    ...lacks('daemon', task.daemonArn),
    ...(task.containerInstanceArn === undefined && lastStatus !== 'PROVISIONING'
      ? [`${taskArn} is ${lastStatus} on no instance`]
      : []),
    ...(task.stoppedAt === undefined ? [] : [`${taskArn} stopped and is ${lastStatus}`]),
  ]
}

function brokenService(view: View, service: Service): string[] {
  const { serviceArn, status, clusterArn, taskDefinitionArn, desiredCount } = service
  const deployments = view.by('deployment', 'service', serviceArn)
  const primaries = deployments.filter((deployment) => deployment.status === 'PRIMARY')
  // With the other controllers task sets take the place of deployments.
  const taskSets = view.by('taskSet', 'service', serviceArn)
  const rolling = (service.deploymentController?.type ?? 'ECS') === 'ECS'
  const says = (holds: boolean, what: string): string[] =>
    holds ? [] : [`${serviceArn} (${status}) ${what}`]
  const cluster = view.find('cluster', clusterArn)
  return [
    ...says(cluster !== undefined, `is of the cluster ${clusterArn}, which is not there`),
    ...says(Number.isInteger(desiredCount) && desiredCount >= 0, `is to have ${desiredCount} tasks`),
    ...(status === 'ACTIVE'
      ? [
          ...says(cluster?.status === 'ACTIVE', 'is in a cluster that is not ACTIVE'),
          ...(rolling
            ? [
                ...says(primaries.length === 1, `has ${primaries.length} PRIMARY deployments`),
                ...says(
                  primaries[0]?.taskDefinitionArn === taskDefinitionArn,
                  'has another revision than its PRIMARY deployment',
                ),
              ]
            : says(deployments.length === 0, 'has deployments, though its controller is not ECS')),
          ...(rolling
            ? says(
                view.find('taskDefinition', taskDefinitionArn) !== undefined,
                `runs ${taskDefinitionArn}, which is not there`,
              )
            : []),
        ]
      : []),
    ...says(taskSets.filter((set) => set.status === 'PRIMARY').length <= 1, 'has two PRIMARY task sets'),
    ...(status === 'INACTIVE'
      ? says(view.count('task', 'service', serviceArn) === 0, 'still has tasks')
      : []),
  ]
}

/** What placement takes to be free is what the rows say, added up anew; and nothing is taken twice. */
function brokenInstance(view: View, fleet: Fleet, instance: ContainerInstance): string[] {
  const { containerInstanceArn: arn, clusterArn, status, registeredResources } = instance
  const tasks = view.by('task', 'containerInstance', arn)
  const says = (holds: boolean, what: string): string[] => (holds ? [] : [`${arn} ${what}`])
  const registered = (resources: readonly Resource[], name: string): Resource | undefined =>
    resources.find((resource) => resource.name === name)
  const left = fleet.remainingResources(arn)
  const sum = (of: (task: Task) => number): number => tasks.reduce((total, task) => total + of(task), 0)
  const amounts = [
    ['CPU', sum(({ demand }) => demand.cpu)],
    ['MEMORY', sum(({ demand }) => demand.memoryMiB)],
  ] as const
  const ports = tasks.flatMap(({ demand }) => demand.ports.map(({ protocol, port }) => `${protocol} ${port}`))
  const counts = {
    runningTasksCount: tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
    pendingTasksCount: tasks.filter(
      ({ lastStatus, desiredStatus }) => lastStatus !== 'RUNNING' && desiredStatus === 'RUNNING',
    ).length,
  }
  const shown = fleet.counts(arn)
  return [
    ...says(
      view.find('cluster', clusterArn) !== undefined,
      `is of the cluster ${clusterArn}, which is not there`,
    ),
    ...says(status !== 'INACTIVE' || tasks.length === 0, `is INACTIVE and has ${tasks.length} tasks`),
    ...amounts.flatMap(([name, used]) => {
      const total = registered(registeredResources, name)?.integerValue ?? 0
      const rest = registered(left, name)?.integerValue ?? 0
      return says(rest === Math.max(0, total - used), `shows ${rest} ${name} of ${total} with ${used} taken`)
    }),
    ...says(new Set(ports).size === ports.length, `has two tasks with one of the ports ${ports.join(', ')}`),
    ...says(
      shown.runningTasksCount === counts.runningTasksCount &&
        shown.pendingTasksCount === counts.pendingTasksCount,
      `counts ${JSON.stringify(shown)} where the tasks say ${JSON.stringify(counts)}`,
    ),
  ]
}

/**
 * Whether the instances of tasks that have just been put can hold them with all the others. No invariant of the rows: an
 * agent may register anew with less than its tasks take.
 */
export function overfull(view: View, tasks: readonly Task[]): string[] {
  const arns = new Set(tasks.map(({ containerInstanceArn }) => containerInstanceArn ?? ''))
  return [...arns].flatMap((arn) => {
    const resources = view.find('containerInstance', arn)?.registeredResources ?? []
    const has = (name: string): number =>
      resources.find((resource) => resource.name === name)?.integerValue ?? 0
    let [cpu, memoryMiB] = [0, 0]
    for (const { demand } of view.by('task', 'containerInstance', arn)) {
      cpu += demand.cpu
      memoryMiB += demand.memoryMiB
    }
    return cpu <= has('CPU') && memoryMiB <= has('MEMORY')
      ? []
      : [`${arn} has a new task and holds ${cpu} CPU units and ${memoryMiB} MiB, more than it has`]
  })
}

/** The members of rows that name a row of another table, wherever they stand. (What a daemon was outlives it.) */
const references: Readonly<Record<string, TableName>> = {
  clusterArn: 'cluster',
  serviceArn: 'service',
  serviceRevisionArn: 'serviceRevision',
  targetServiceRevisionArn: 'serviceRevision',
  serviceDeploymentArn: 'serviceDeployment',
  daemonRevisionArn: 'daemonRevision',
  targetRevisionArn: 'daemonRevision',
  repositoryArn: 'repository',
  vpcId: 'vpc',
  subnetId: 'subnet',
}

/** Things belong to something that is there. A stopped task may outlive what it was of. */
function brokenReferences(view: View): string[] {
  const owned = tableNames.flatMap((table) =>
    view.list(table).flatMap((row) => {
      if (table === 'task') return []
      const fields = row as unknown as Readonly<Record<string, unknown>>
      return Object.entries(references).flatMap(([member, of]) => {
        const key = fields[member]
        return typeof key !== 'string' || view.find(of, key)
          ? []
          : [`${table} ${tables[table].key(row as never)} has the ${member} ${key}, which is not there`]
      })
    }),
  )
  const revisions = view.list('taskDefinition').flatMap((taskDefinition) => {
    const families = taskDefinition.daemon ? 'daemonTaskDefinitionFamily' : 'taskDefinitionFamily'
    const { lastRevision = 0 } = view.find(families, familyKey(taskDefinition)) ?? {}
    return taskDefinition.revision <= lastRevision
      ? []
      : [`${taskDefinition.taskDefinitionArn} is above its family's last revision, ${lastRevision}`]
  })
  const closed = view.list('cluster').flatMap(({ clusterArn, status }) => {
    if (status === 'ACTIVE') return []
    const living =
      view.by('service', 'cluster', clusterArn).some((service) => service.status === 'ACTIVE') ||
      view.by('task', 'cluster', clusterArn).some(({ lastStatus }) => lastStatus !== 'STOPPED') ||
      view.by('containerInstance', 'cluster', clusterArn).some((one) => one.status !== 'INACTIVE')
    return living ? [`${clusterArn} is ${status} and has something in it`] : []
  })
  return [...owned, ...revisions, ...closed]
}

/** Tags are of things that are there, at most fifty of a caller's own, each key once. */
function brokenTags(view: View): string[] {
  return view.list('resourceTags').flatMap(({ resourceArn, tags }) => {
    const id = parseArn(resourceArn)?.resource.split('/').at(-1) ?? ''
    // Every account has the default group of schedules, which has no row.
    const isDefault = resourceArn.endsWith(`:schedule-group/${defaultGroup}`)
    const found =
      isDefault ||
      tableNames.some(
        (table) => table !== 'resourceTags' && (view.find(table, resourceArn) ?? view.find(table, id)),
      )
    return [
      ...(found ? [] : [`there are tags of ${resourceArn}, which is not there`]),
      ...(tags.length > 0 ? [] : [`${resourceArn} has an empty row of tags`]),
      ...(new Set(tags.map(({ key }) => key)).size === tags.length ? [] : [`${resourceArn} has a tag twice`]),
      ...(tags.filter(({ key }) => !key.startsWith('aws:')).length <= 50
        ? []
        : [`${resourceArn} has >50 tags`]),
    ]
  })
}
