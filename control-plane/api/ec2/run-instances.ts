import { createHash } from 'node:crypto'
import type { RunInstancesCommandInput, RunInstancesCommandOutput } from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context, Permission } from '#api/operation.ts'
import { arnName, scopeKey } from '#domain/arn.ts'
import { iamKey } from '#domain/iam/entities.ts'
import { pickAddress } from '#domain/ec2-network.ts'
import { firstBoot, instanceIdentity } from '#domain/instance-launch.ts'
import type { Instance, Subnet } from '#domain/instance.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import { isAddressTaken } from '#state/vpc.ts'
import type { Transaction } from '#state/store.ts'
import { checkLaunch, userDataOf } from './launch-checks.ts'
import { refuseDryRun } from './list.ts'
import { builtInImageId } from './machine.ts'
import { groupNotFound, subnetNotFound } from './network-lookup.ts'
import { showReservations } from './show-instance.ts'
import { ec2Arn, putTags } from './tag.ts'

/** AWS's own default, m1.small, is of a generation that is no more. */
const defaultInstanceType = 't3.micro'
const clientTokenKeptMs = 24 * 3_600_000

export function runInstances(
  context: Context,
  input: RunInstancesCommandInput,
): Answer<RunInstancesCommandOutput> {
  const { store, scope } = context
  checkLaunch(input)
  const userData = userDataOf(input.UserData)
  refuseDryRun(input)
  return store.update((tx) => {
    const rows =
      repeated(tx, context, input) ?? launch(tx, context, input, userData === undefined ? {} : { userData })
    const [reservation] = showReservations(tx, rows)
    return { ...reservation, OwnerId: scope.accountId }
  })
}

const fingerprintOf = (input: RunInstancesCommandInput): string =>
  createHash('sha256').update(JSON.stringify(input)).digest('hex')
const idempotencyKey = (context: Context, clientToken: string): string =>
  `${scopeKey(context.scope)}/ec2:RunInstances/${clientToken}`

/** The instances that the same request made before, by its client token. */
function repeated(
  tx: Transaction,
  context: Context,
  input: RunInstancesCommandInput,
): readonly Instance[] | undefined {
  if (input.ClientToken === undefined) return undefined
  const known = tx.find('idempotency', idempotencyKey(context, input.ClientToken))
  if (!known || known.expiresAt <= context.clock.now()) return undefined
  if (known.fingerprint !== fingerprintOf(input))
    throw new AwsError(
      'IdempotentParameterMismatch',
      'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    )
  const rows = tx.by('instance', 'clientToken', `${scopeKey(context.scope)}/${input.ClientToken}`)
  return rows.length > 0 ? rows : undefined
}

function launch(
  tx: Transaction,
  context: Context,
  input: RunInstancesCommandInput,
  given: Pick<Instance, 'userData'>,
): readonly Instance[] {
  const { scope, ids, clock } = context
  const subnet = subnetOf(tx, context, input)
  const securityGroupIds = securityGroupsOf(tx, context, input)
  const reservationId = `r-0${ids.hex(16)}`
  const rows: Instance[] = []
  for (let launchIndex = 0; launchIndex < (input.MaxCount ?? 1); launchIndex++) {
    const address = addressOf(tx, context, input, subnet)
    if (address === undefined) break
    const row: Instance = {
      ...scope,
      ...identityOf(context, subnet, address, input),
      ...given,
      reservationId,
      launchIndex,
      imageId: input.ImageId ?? builtInImageId,
      instanceType: input.InstanceType ?? defaultInstanceType,
      securityGroupIds,
      ...(input.KeyName !== undefined && { keyName: input.KeyName }),
      ...profileOf(tx, context, input),
      ...(input.ClientToken !== undefined && { clientToken: input.ClientToken }),
      launchTime: clock.now(),
      metadataOptions: {
        httpTokens: input.MetadataOptions?.HttpTokens ?? 'optional',
        httpPutResponseHopLimit: input.MetadataOptions?.HttpPutResponseHopLimit ?? 2,
      },
      ...firstBoot,
    }
    tx.put('instance', row)
    rows.push(row)
  }
  if (rows.length < (input.MinCount ?? 1))
    throw new AwsError(
      'InsufficientFreeAddressesInSubnet',
      `There are not enough free addresses in subnet '${subnet.subnetId}' to satisfy the requested number of instances.`,
    )
  tag(tx, input, rows)
  remember(tx, context, input, rows)
  return rows
}

function remember(
  tx: Transaction,
  context: Context,
  input: RunInstancesCommandInput,
  rows: readonly Instance[],
): void {
  if (input.ClientToken === undefined) return
  tx.put('idempotency', {
    key: idempotencyKey(context, input.ClientToken),
    fingerprint: fingerprintOf(input),
    resourceArns: rows.map((row) => ec2Arn(row, 'instance', row.instanceId)),
    expiresAt: context.clock.now() + clientTokenKeptMs,
  })
}

function tag(tx: Transaction, input: RunInstancesCommandInput, rows: readonly Instance[]): void {
  for (const { ResourceType: type, Tags: tags = [] } of input.TagSpecifications ?? [])
    for (const row of rows) {
      if (type === 'instance') putTags(tx, ec2Arn(row, type, row.instanceId), tags)
      else if (type === 'network-interface') putTags(tx, ec2Arn(row, type, row.networkInterfaceId), tags)
    }
}

function identityOf({ ids }: Context, subnet: Subnet, address: string, input: RunInstancesCommandInput) {
  const hasPublicAddress =
    input.NetworkInterfaces?.[0]?.AssociatePublicIpAddress ?? subnet.mapPublicIpOnLaunch
  return instanceIdentity(ids, subnet, address, hasPublicAddress)
}

function subnetOf(tx: Transaction, { scope }: Context, input: RunInstancesCommandInput): Subnet {
  const { subnets } = ensureDefaultNetwork(tx, scope)
  const subnetId = input.SubnetId ?? input.NetworkInterfaces?.[0]?.SubnetId
  const zone = input.Placement?.AvailabilityZone
  if (subnetId !== undefined) {
    const subnet = tx.find('subnet', subnetId)
    if (!subnet || scopeKey(subnet) !== scopeKey(scope)) throw subnetNotFound(subnetId)
    if (zone !== undefined && zone !== subnet.availabilityZone)
      throw new AwsError(
        'InvalidParameterValue',
        `The subnet '${subnetId}' is in the availability zone ${subnet.availabilityZone}, not in ${zone}.`,
      )
    return subnet
  }
  const subnet =
    zone === undefined ? subnets[0] : subnets.find((candidate) => candidate.availabilityZone === zone)
  if (!subnet) throw new AwsError('InvalidParameterValue', `Invalid availability zone: [${zone}]`)
  return subnet
}

function securityGroupsOf(
  tx: Transaction,
  { scope }: Context,
  input: RunInstancesCommandInput,
): readonly string[] {
  const ids = input.SecurityGroupIds ?? input.NetworkInterfaces?.[0]?.Groups ?? []
  const groups = tx.by('securityGroup', 'scope', scopeKey(scope))
  const byName = (input.SecurityGroups ?? []).map((name) => {
    const group = groups.find(({ groupName }) => groupName === name)
    if (!group) throw groupNotFound(name)
    return group.groupId
  })
  for (const id of ids) if (!groups.some(({ groupId }) => groupId === id)) throw groupNotFound(id)
  const all = [...ids, ...byName]
  return all.length > 0 ? all : [ensureDefaultNetwork(tx, scope).securityGroup.groupId]
}

/** The address asked for, or a free one. Instances of all accounts and regions share one network, so it is free of all. */
function addressOf(
  tx: Transaction,
  { ids }: Context,
  input: RunInstancesCommandInput,
  subnet: Subnet,
): string | undefined {
  const isTaken = (address: string): boolean => isAddressTaken(tx, address)
  const wanted = input.PrivateIpAddress ?? input.NetworkInterfaces?.[0]?.PrivateIpAddress
  if (wanted === undefined) return pickAddress(subnet.cidrBlock, isTaken, () => ids.fraction())
  // Of the whole subnet only the address asked for counts as free: so its rules hold for it too.
  const found = pickAddress(
    subnet.cidrBlock,
    (address) => address !== wanted,
    () => 0,
  )
  if (found === undefined)
    throw new AwsError(
      'InvalidParameterValue',
      `Address ${wanted} does not fall within the subnet's address range`,
    )
  if (isTaken(wanted)) throw new AwsError('InvalidIPAddress.InUse', `Address ${wanted} is in use.`)
  return wanted
}

/** Whoever launches instances in a role must be allowed to pass it to EC2. */
export function passedRole(context: Context, input: RunInstancesCommandInput): readonly Permission[] {
  const { accountId } = context.scope
  const { profileRole } = profileOf(context.store, context, input)
  const role = profileRole && context.store.find('iamRole', iamKey(accountId, profileRole.roleName))
  const conditions = { 'iam:PassedToService': 'ec2.amazonaws.com' }
  return role ? [{ action: 'iam:PassRole', resource: role.arn, conditions }] : []
}

/** The profile, and the role it has now. One that nobody made is taken too: the instance acts in the built-in role. */
function profileOf(
  tx: Pick<Transaction, 'find'>,
  { scope }: Context,
  { IamInstanceProfile: profile }: RunInstancesCommandInput,
): Pick<Instance, 'iamInstanceProfileArn' | 'profileRole'> {
  const { Arn: arn, Name: name = arn && arnName(arn) } = profile ?? {}
  if (name === undefined) return {}
  const row = tx.find('instanceProfile', iamKey(scope.accountId, name))
  const role = row?.roleName && tx.find('iamRole', iamKey(scope.accountId, row.roleName))
  return {
    iamInstanceProfileArn: arn ?? row?.arn ?? `arn:aws:iam::${scope.accountId}:instance-profile/${name}`,
    ...(row &&
      role && {
        profileRole: {
          roleName: role.roleName,
          roleId: role.roleId,
          instanceProfileId: row.instanceProfileId,
        },
      }),
  }
}
