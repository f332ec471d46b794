/** What a client of the service `web` on an engine bench asks and does, by the operations themselves. */
import type {
  DeploymentConfiguration,
  Service,
  ServiceDeployment,
  ServiceDeploymentBrief,
  StopServiceDeploymentStopType,
} from '@aws-sdk/client-ecs'
import {
  describeServiceDeployments,
  listServiceDeployments,
  stopServiceDeployment,
} from '@berth/control-plane/api/ecs/services/service-deployment.ts'
import { describeServices } from '@berth/control-plane/api/ecs/services/service.ts'
import type { Context } from '@berth/control-plane/api/operation.ts'
import { testContext } from '@berth/control-plane/api/testing.ts'
import type { ShiftOutcome } from '@berth/control-plane/domain/rollout-lifecycle-duties.ts'
import {
  deploymentActions,
  type Hooks,
  noHooks,
  noTraffic,
  type Traffic,
  type TrafficWeights,
} from '@berth/control-plane/engines/deployment-actions.ts'
import type { Alarms } from '@berth/control-plane/engines/service-scheduler-alarms.ts'
import { serviceScheduler } from '@berth/control-plane/engines/service-scheduler.ts'
import { expect, onTestFinished } from 'vitest'
import { EngineBench } from './engine-bench.ts'

class BenchClient {
  readonly context: Context

  private constructor(context: Context) {
    this.context = context
  }

  static async of({ store, fleet, clock, ids }: EngineBench): Promise<BenchClient> {
    return new BenchClient({ ...(await testContext()), store, fleet, clock, ids })
  }

  get service(): Service | undefined {
    return describeServices.run(this.context, { services: ['web'] }).services?.[0]
  }

  /** Newest first. */
  get serviceDeployments(): ServiceDeploymentBrief[] {
    return listServiceDeployments.run(this.context, { service: 'web' }).serviceDeployments ?? []
  }

  /** The newest service deployment, described. */
  get newest(): ServiceDeployment | undefined {
    const arn = this.serviceDeployments[0]?.serviceDeploymentArn ?? ''
    const { serviceDeployments } = describeServiceDeployments.run(this.context, {
      serviceDeploymentArns: [arn],
    })
    return serviceDeployments?.[0]
  }

  /** Status and reason of each, newest first. */
  get statuses(): Array<readonly [status: string | undefined, reason: string | undefined]> {
    return this.serviceDeployments.map(({ status, statusReason }) => [status, statusReason] as const)
  }

  /** Stops the newest. */
  stop(stopType?: StopServiceDeploymentStopType): string | undefined {
    const arn = this.serviceDeployments[0]?.serviceDeploymentArn ?? ''
    const input = { serviceDeploymentArn: arn, ...(stopType && { stopType }) }
    return stopServiceDeployment.run(this.context, input).serviceDeploymentArn
  }
}

/** What deployments ask the world. */
interface Outside {
  readonly traffic: Traffic
  readonly hooks: Hooks
  readonly alarms: Alarms
}

/**
 * For one test: a bench with three instances, the scheduler and a client. Tasks of the revisions for which `startsOk`
 * says no fail before they run.
 */
export async function scheduledBench(
  startsOk: (revision: number) => boolean = () => true,
  { alarms, ...outside }: Partial<Outside> = {},
): Promise<{ readonly bench: EngineBench; readonly client: BenchClient }> {
  const bench = await EngineBench.open()
  for (let number = 1; number <= 3; number++) bench.putInstance(`host${number}`)
  bench.drive(
    serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet, ...(alarms && { alarms }) }),
  )
  bench.drive(deploymentActions({ traffic: noTraffic, hooks: noHooks, ...outside }))
  bench.obey((task) => startsOk(Number(task.taskDefinitionArn.split(':').at(-1))))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return { bench, client: await BenchClient.of(bench) }
}

const percentages = { minimumHealthyPercent: 100, maximumPercent: 200 }

/** A service whose first revision serves, and traffic that is written down. */
export async function served(
  deploymentConfiguration: DeploymentConfiguration,
  given: {
    startsOk?: (revision: number) => boolean
    hooks?: Hooks
    desiredCount?: number
    balancer?: (wanted: TrafficWeights) => ShiftOutcome
  } = {},
) {
  const shifts: TrafficWeights[] = []
  const atShift: number[] = []
  const traffic = {
    shift: (wanted: TrafficWeights) => {
      shifts.push(wanted)
      atShift.push(bench.wanted().length)
      return Promise.resolve(balancer(wanted))
    },
  }
  const { hooks, startsOk, desiredCount = 2, balancer = () => 'DONE' } = given
  const { bench, client } = await scheduledBench(startsOk, { traffic, ...(hooks && { hooks }) })
  bench.putService(bench.putTaskDefinition(1), { desiredCount, deploymentConfiguration: percentages })
  await bench.run(120_000)
  bench.updateService({ deploymentConfiguration })
  const update = (revision = 2): void =>
    bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(revision) })
  /** How much of the traffic the newest revision was given, shift by shift. */
  const weights = (kind: 'test' | 'production'): Array<number | undefined> =>
    shifts.filter((shift) => shift.kind === kind).map((shift) => shift.weights.at(-1)?.weight)
  const wanted = (): number[] => [bench.wanted(1).length, bench.wanted(2).length]
  return { bench, client, update, shifts, atShift, weights, wanted }
}
