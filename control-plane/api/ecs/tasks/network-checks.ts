import type { NetworkConfiguration } from '@aws-sdk/client-ecs'
import { type Scope, scopeKey } from '#domain/arn.ts'
import type { View } from '#state/store.ts'
import { refuse } from './placement-checks.ts'

/**
 * Whether the subnets and groups of a request are there and belong together. Throws InvalidParameterException with what
 * EC2 answered, as ECS does.
 */
export function checkNetworkParts(
  view: View,
  scope: Scope,
  { awsvpcConfiguration }: NetworkConfiguration = {},
): void {
  const { subnets = [], securityGroups = [] } = awsvpcConfiguration ?? {}
  const isHere = (row: Scope | undefined): boolean => row !== undefined && scopeKey(row) === scopeKey(scope)
  const strange = subnets.find((id) => !isHere(view.find('subnet', id)))
  if (strange !== undefined)
    refuse(
      `Error retrieving subnet information for [${subnets.join(', ')}]: The subnet ID '${strange}' does not exist (ErrorCode: InvalidSubnetID.NotFound)`,
    )
  const unknown = securityGroups.find((id) => !isHere(view.find('securityGroup', id)))
  if (unknown !== undefined)
    refuse(
      `Error retrieving security group information for [${securityGroups.join(', ')}]: The security group '${unknown}' does not exist (ErrorCode: InvalidGroup.NotFound)`,
    )
  const vpcIds = new Set(subnets.map((id) => view.find('subnet', id)?.vpcId))
  // AWS's text for this is not known.
  if (vpcIds.size > 1) refuse('The input subnets do not appear to belong to the same VPC.')
  const foreign = securityGroups.find((id) => !vpcIds.has(view.find('securityGroup', id)?.vpcId))
  if (foreign !== undefined)
    refuse(`Security group ${foreign} does not appear to belong to the same VPC as the input subnets.`)
}
