/** What clients ask for, as scenarios use it. */
import type { CreateServiceRequest, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { type Shape, taskShape } from './task-shapes.ts'
import type { World } from './world.ts'

export const minute = 60_000
/** minimumHealthyPercent and maximumPercent that let a deployment of two tasks or more move. */
export const percentages = [
  [100, 200],
  [50, 100],
  [0, 100],
  [50, 150],
  [100, 150],
  [75, 200],
] as const

export const count = (world: World, low: number, high: number): number =>
  Math.floor(world.chance.between(low, high + 1))

/** Lets pass the error that the state of things may rightly give. */
export const ifNamed =
  (code: string) =>
  (error: unknown): void => {
    if (!(error instanceof AwsError && error.code === code)) throw error
  }

export async function register(
  world: World,
  family: string,
  image: string,
  shape: Shape = {},
): Promise<string> {
  const input: RegisterTaskDefinitionRequest = {
    family,
    containerDefinitions: taskShape(world.chance, image, shape),
  }
  const { taskDefinition } = await world.request<{ taskDefinition: { taskDefinitionArn: string } }>(
    'RegisterTaskDefinition',
    input,
  )
  return taskDefinition.taskDefinitionArn
}

export async function createService(
  world: World,
  given: Partial<CreateServiceRequest> & { serviceName: string },
): Promise<void> {
  const [minimumHealthyPercent, maximumPercent] = world.chance.oneOf(percentages) ?? [100, 200]
  const input: CreateServiceRequest = {
    desiredCount: count(world, 2, 6),
    launchType: 'EC2',
    clientToken: world.chance.ids.hex(32),
    deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
    ...given,
  }
  world.note(`CreateService ${JSON.stringify(input)}`)
  await world.request('CreateService', input)
}

export async function update(
  world: World,
  service: string,
  change: { taskDefinition?: string; desiredCount?: number },
): Promise<void> {
  expectNothing(world, service)
  world.note(`UpdateService ${service} ${JSON.stringify(change)}`)
  await world.request('UpdateService', { service, ...change })
  expectService(world, service, change)
}

type Expectation = World['expectations'][number]

/** What is expected of each service now. */
const expected = new WeakMap<World, Map<string, Expectation>>()

function expectNothing(world: World, serviceName: string): void {
  const before = expected.get(world)?.get(serviceName)
  const at = before ? world.expectations.indexOf(before) : -1
  if (at >= 0) world.expectations.splice(at, 1)
  expected.get(world)?.delete(serviceName)
}

/** The service must end as the last update that was answered says. */
export function expectService(
  world: World,
  serviceName: string,
  change: { taskDefinition?: string; desiredCount?: number },
): void {
  const { taskDefinition, desiredCount } = change
  expectNothing(world, serviceName)
  const expectation: Expectation = ({ controlPlane }) => {
    const service = controlPlane?.store.list('service').find((row) => row.serviceName === serviceName)
    const same =
      (desiredCount === undefined || service?.desiredCount === desiredCount) &&
      (taskDefinition === undefined || service?.taskDefinitionArn === taskDefinition)
    return same ? undefined : `the update of ${serviceName} to ${JSON.stringify(change)} is lost`
  }
  world.expectations.push(expectation)
  const known = expected.get(world) ?? new Map<string, Expectation>()
  expected.set(world, known.set(serviceName, expectation))
}
