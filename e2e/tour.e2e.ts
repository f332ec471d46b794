/**
 * Every operation of Amazon ECS, called as users do: with the AWS CLI of Debian what that knows, with the AWS SDK what is
 * newer. A lane for each kind of resource; they run side by side because starting the CLI is what takes the time.
 */
import { operations } from '@berth/control-plane/api/ecs/operations.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Stage } from './stage.ts'
import {
  accountSettingLane,
  agentLane,
  capacityProviderLane,
  clusterLane,
  containerInstanceLane,
} from './tour-cli-clusters.ts'
import {
  executeCommandLane,
  serviceLane,
  taskDefinitionLane,
  taskLane,
  taskSetLane,
} from './tour-cli-tasks.ts'
import { newerThanTheCli } from './tour-operations.ts'
import { daemonLane, gatewayLane, serviceDeploymentLane, taskDefinitionDeletionLane } from './tour-sdk.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

/** Of a lane, all of whose calls wait for processors that others may be using. */
const laneMs = 400_000

describe.concurrent('a tour', { timeout: laneMs }, () => {
  test.for([
    ['the AWS SDK of daemons', daemonLane],
    ['the AWS CLI of services', serviceLane],
    ['the AWS CLI of tasks', taskLane],
    ['the AWS CLI of clusters', clusterLane],
    ['the AWS CLI of container instances and their attributes', containerInstanceLane],
    ['the AWS CLI of capacity providers', capacityProviderLane],
    ['the AWS CLI of task sets', taskSetLane],
    ['the AWS CLI of task definitions', taskDefinitionLane],
    ['the AWS CLI of account settings', accountSettingLane],
    ['the AWS CLI of commands in containers', executeCommandLane],
    ['the AWS CLI of what agents report', agentLane],
    ['the AWS SDK of deleted task definitions', taskDefinitionDeletionLane],
    ['the AWS SDK of service deployments', serviceDeploymentLane],
    ['the AWS SDK of gateways and Express services', gatewayLane],
  ] as const)('with %s', async ([, lane]) => {
    await expect(lane(stage)).resolves.toBeUndefined()
  })
})

test('together they were every operation', async () => {
  const newer = new Set<string>(newerThanTheCli)
  const { cli, sdk } = stage.called()
  const all = Object.keys(operations)
  expect(all.filter((name) => !newer.has(name) && !cli.has(name))).toEqual([])
  expect(all.filter((name) => newer.has(name) && !sdk.has(name))).toEqual([])
  const known = await stage.newAccount().known()
  expect(known.filter((name) => name in operations && !newer.has(name) && !cli.has(name))).toEqual([])
  expect(known).toEqual(expect.arrayContaining(['CreateCluster', 'UpdateTaskSet']))
})
