/** What answers count, counted here anew from the rows. */
import type {
  DescribeClustersResponse,
  DescribeContainerInstancesResponse,
  DescribeServicesResponse,
} from '@aws-sdk/client-ecs'
import { isFargateHost } from '@berth/control-plane/domain/fargate.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import type { View } from '@berth/control-plane/state/store.ts'

/** Answers a request at once. */
export type Ask = (name: string, input: object) => unknown

const instancesMax = 100
const servicesMax = 10
const eventsMax = 100

/** The first answer that does not agree with the rows; undefined when all do. */
export function brokenAnswer(view: View, ask: Ask): string | undefined {
  for (const { clusterArn, accountId } of view.list('cluster')) {
    // Nobody has the account whose cluster this is.
    if (isFargateHost({ accountId })) continue
    const broken =
      brokenCluster(view, ask, clusterArn) ??
      brokenServices(view, ask, clusterArn) ??
      brokenInstances(view, ask, clusterArn)
    if (broken !== undefined) return broken
  }
  return undefined
}

type Counts = Readonly<Record<string, number | undefined>>

function differs(what: string | undefined, shown: Counts, counted: Counts): string | undefined {
  const [one, other] = [JSON.stringify(shown), JSON.stringify(counted)]
  return one === other ? undefined : `${what} shows ${one} where the rows say ${other}`
}

const numberOf = <T>(rows: readonly T[], is: (row: T) => boolean): number => rows.filter(is).length
const runs = ({ lastStatus }: Task): boolean => lastStatus === 'RUNNING'
/** A task on its way down is not on its way up. */
const comes = ({ lastStatus, desiredStatus }: Task): boolean =>
  ['PROVISIONING', 'PENDING', 'ACTIVATING'].includes(lastStatus) && desiredStatus === 'RUNNING'

function brokenCluster(view: View, ask: Ask, clusterArn: string): string | undefined {
  const { clusters = [] } = ask('DescribeClusters', { clusters: [clusterArn] }) as DescribeClustersResponse
  const [shown] = clusters
  const tasks = view.list('task').filter((task) => task.clusterArn === clusterArn)
  const instances = view.list('containerInstance').filter((row) => row.clusterArn === clusterArn)
  const services = view.list('service').filter((row) => row.clusterArn === clusterArn)
  return differs(
    clusterArn,
    {
      registered: shown?.registeredContainerInstancesCount,
      running: shown?.runningTasksCount,
      pending: shown?.pendingTasksCount,
      services: shown?.activeServicesCount,
    },
    {
      registered: numberOf(instances, ({ status }) => status === 'ACTIVE' || status === 'DRAINING'),
      running: numberOf(tasks, runs),
      pending: numberOf(tasks, ({ lastStatus }) => lastStatus === 'PENDING'),
      services: numberOf(services, ({ status }) => status === 'ACTIVE'),
    },
  )
}

function brokenServices(view: View, ask: Ask, clusterArn: string): string | undefined {
  const arns = view.list('service').filter((row) => row.clusterArn === clusterArn)
  for (let from = 0; from < arns.length; from += servicesMax) {
    const services = arns.slice(from, from + servicesMax).map(({ serviceArn }) => serviceArn)
    const answer = ask('DescribeServices', { cluster: clusterArn, services }) as DescribeServicesResponse
    for (const shown of answer.services ?? []) {
      const { serviceArn, runningCount, pendingCount, desiredCount, events = [], deployments = [] } = shown
      const tasks = view.list('task').filter((task) => task.serviceArn === serviceArn)
      const broken =
        differs(
          serviceArn,
          { runningCount, pendingCount, desiredCount },
          {
            runningCount: numberOf(tasks, runs),
            pendingCount: numberOf(tasks, comes),
            desiredCount: view.find('service', serviceArn ?? '')?.desiredCount,
          },
        ) ??
        brokenEvents(view, serviceArn, events) ??
        deployments
          .map(({ id, runningCount: running, pendingCount: pending, status }) => {
            const own = tasks.filter(({ deploymentId }) => deploymentId === id)
            return differs(
              `${status} ${id}`,
              { running, pending },
              { running: numberOf(own, runs), pending: numberOf(own, comes) },
            )
          })
          .find((each) => each !== undefined)
      if (broken !== undefined) return broken
    }
  }
  return undefined
}

/** The newest hundred, newest first. */
function brokenEvents(
  view: View,
  serviceArn: string | undefined,
  events: NonNullable<NonNullable<DescribeServicesResponse['services']>[number]['events']>,
): string | undefined {
  const newest = view
    .by('serviceEvent', 'service', serviceArn ?? '')
    .toSorted((one, other) => other.sequence - one.sequence)
    .slice(0, eventsMax)
  const same = newest.length === events.length && newest.every(({ id }, index) => id === events[index]?.id)
  return same ? undefined : `${serviceArn} does not show its ${newest.length} newest events, newest first`
}

function brokenInstances(view: View, ask: Ask, clusterArn: string): string | undefined {
  const rows = view.list('containerInstance').filter((row) => row.clusterArn === clusterArn)
  for (let from = 0; from < rows.length; from += instancesMax) {
    const asked = rows
      .slice(from, from + instancesMax)
      .map(({ containerInstanceArn }) => containerInstanceArn)
    const input = { cluster: clusterArn, containerInstances: asked }
    const answer = ask('DescribeContainerInstances', input) as DescribeContainerInstancesResponse
    for (const { containerInstanceArn, runningTasksCount, pendingTasksCount } of answer.containerInstances ??
      []) {
      const tasks = view.list('task').filter((task) => task.containerInstanceArn === containerInstanceArn)
      const broken = differs(
        containerInstanceArn,
        { runningTasksCount, pendingTasksCount },
        {
          runningTasksCount: numberOf(tasks, runs),
          pendingTasksCount: numberOf(tasks, comes),
        },
      )
      if (broken !== undefined) return broken
    }
  }
  return undefined
}
