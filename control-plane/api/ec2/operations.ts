import type * as EC2 from '@aws-sdk/client-ec2'
import type { Context } from '#api/operation.ts'
import type { OperationTable } from '#api/operation-table.ts'
import { describeInstanceAttribute, describeInstances, describeInstanceStatus } from './instance.ts'
import { rebootInstances, startInstances, stopInstances, terminateInstances } from './instance-state.ts'
import { describeImages, describeInstanceTypes } from './machine.ts'
import { describeAvailabilityZones, describeRegions } from './network.ts'
import { networkOperations } from './network-operations.ts'
import { passedRole, runInstances } from './run-instances.ts'
import { createTags, deleteTags, describeTags, ec2Arn } from './tag.ts'

/** Describe* of EC2 know no resources in policies. */
const anything = (): readonly string[] => ['*']
const instancesOf = (
  { scope }: Context,
  { InstanceIds }: { readonly InstanceIds?: readonly string[] | undefined },
): readonly string[] => (InstanceIds ?? []).map((id) => ec2Arn(scope, 'instance', id))

/**
 * The operations of Amazon EC2 that Berth has. EC2's model names some 750 more: those without a row here are answered as
 * not implemented, and counted in docs/compatibility.md.
 */
export const operations = {
  ...networkOperations,
  CreateTags: { resources: anything, run: createTags },
  DeleteTags: { resources: anything, run: deleteTags },
  DescribeAvailabilityZones: { resources: anything, run: describeAvailabilityZones },
  DescribeImages: { resources: anything, run: describeImages },
  DescribeInstanceAttribute: {
    resources: ({ scope }, { InstanceId }) => [ec2Arn(scope, 'instance', InstanceId ?? '*')],
    run: describeInstanceAttribute,
  },
  DescribeInstanceStatus: { resources: anything, run: describeInstanceStatus },
  DescribeInstanceTypes: { resources: anything, run: describeInstanceTypes },
  DescribeInstances: { resources: anything, run: describeInstances },
  DescribeRegions: { resources: anything, run: describeRegions },
  DescribeTags: { resources: anything, run: describeTags },
  GetConsoleOutput: {
    resources: ({ scope }, { InstanceId }) => [ec2Arn(scope, 'instance', InstanceId ?? '*')],
    serve: (context, input) => context.dataPlanes.consoles.getConsoleOutput(context, input),
  },
  RebootInstances: { resources: instancesOf, run: rebootInstances },
  RunInstances: {
    resources: ({ scope }) => [ec2Arn(scope, 'instance', '*')],
    further: passedRole,
    run: runInstances,
  },
  StartInstances: { resources: instancesOf, run: startInstances },
  StopInstances: { resources: instancesOf, run: stopInstances },
  TerminateInstances: { resources: instancesOf, run: terminateInstances },
} satisfies Partial<OperationTable<typeof EC2>>
