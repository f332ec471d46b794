import type {
  PlacementConstraint,
  PlacementStrategy,
  Service as ServiceShape,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { createWeb } from './service-testing.ts'
import { updateService } from './service-update.ts'
import { putCluster, putTaskDefinition } from '#api/ecs/testing-rows.ts'

/** The members of an update that a service shows as they are given. */
const members = {
  desiredCount: fc.integer({ min: -1, max: 10 }),
  placementConstraints: fc.constantFrom<PlacementConstraint[][]>([], [{ type: 'distinctInstance' }]),
  placementStrategy: fc.constantFrom<PlacementStrategy[][]>(
    [],
    [{ type: 'random' }],
    [{ type: 'spread', field: 'attribute:ecs.availability-zone' }],
  ),
  availabilityZoneRebalancing: fc.constantFrom('ENABLED' as const, 'DISABLED' as const),
  healthCheckGracePeriodSeconds: fc.integer({ min: -1, max: 100 }),
  enableECSManagedTags: fc.boolean(),
  enableExecuteCommand: fc.boolean(),
  propagateTags: fc.constantFrom('NONE' as const, 'SERVICE' as const, 'TASK_DEFINITION' as const),
}
const updates = fc.array(
  fc.record(
    {
      ...members,
      taskDefinition: fc.constantFrom('web:1', 'web:2'),
      deploymentConfiguration: fc.record(
        {
          maximumPercent: fc.integer({ min: 90, max: 200 }),
          minimumHealthyPercent: fc.integer({ min: 0, max: 100 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 8 },
)

/** What the service shows, with what of an update that was accepted put over it. */
function settings(
  { deploymentConfiguration, taskDefinition, ...shown }: ServiceShape,
  {
    deploymentConfiguration: percents,
    taskDefinition: revision,
    ...input
  }: Partial<UpdateServiceRequest> = {},
): Record<string, unknown> {
  return {
    ...Object.fromEntries(Object.keys(members).map((name) => [name, shown[name as keyof typeof shown]])),
    ...input,
    ...deploymentConfiguration,
    ...percents,
    revision: revision ?? taskDefinition?.split('/').at(-1),
  }
}

test('an update that is accepted keeps what it does not name, and one that is refused keeps everything', () =>
  fc.assert(
    fc.asyncProperty(updates, async (inputs) => {
      const context = await testContext()
      putCluster(context, 'c')
      putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'arn:aws:iam::000000000000:role/web' })
      putTaskDefinition(context, 'web:2')
      const rows = () => [context.store.list('service'), context.store.list('deployment')]
      const attempt = (input: Partial<UpdateServiceRequest>): ServiceShape | undefined => {
        try {
          return updateService.run(context, { cluster: 'c', service: 'web', ...input }).service
        } catch (error) {
          if (error instanceof AwsError) return undefined
          throw error
        }
      }
      let standing = createWeb(context) ?? {}
      for (const input of inputs) {
        const before = rows()
        const after = attempt(input)
        expect(settings(after ?? standing)).toEqual(settings(standing, after && input))
        expect(after ? before : rows()).toEqual(before)
        standing = after ?? standing
      }
    }),
    { numRuns: 60 },
  ))
