import type { Scope } from './arn.ts'
import type { SecurityGroupRule } from './security-group.ts'

/** An EC2 instance: a host that an instance provider makes real. */
export interface Instance extends Scope {
  readonly instanceId: string
  readonly reservationId: string
  readonly launchIndex: number
  readonly imageId: string
  readonly instanceType: string
  readonly vpcId: string
  readonly subnetId: string
  readonly availabilityZone: string
  readonly securityGroupIds: readonly string[]
  readonly networkInterfaceId: string
  readonly macAddress: string
  readonly privateIpAddress: string
  readonly privateDnsName: string
  /** Absent when the instance has no public address. */
  readonly publicIpAddress?: string
  readonly publicDnsName?: string
  readonly keyName?: string
  readonly iamInstanceProfileArn?: string
  /** The role that the profile had when the instance was launched; absent where there was no such profile. */
  readonly profileRole?: ProfileRole
  /** Base64, as given. */
  readonly userData?: string
  readonly clientToken?: string
  readonly launchTime: number
  readonly metadataOptions: {
    readonly httpTokens: 'optional' | 'required'
    readonly httpPutResponseHopLimit: number
  }

  /** Written by operations. */
  readonly desiredState: 'running' | 'stopped' | 'terminated'
  /** Moves one way: +1 for every start or reboot asked for. The provider boots a host when it has seen a lower one. */
  readonly boot: number
  /** Written by instance-lifecycle from what the provider shows. */
  readonly state: 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'
  /** The boot the provider has brought up. */
  readonly bootSeen: number
  readonly stateReason?: { readonly code: string; readonly message: string }
  readonly stateTransitionReason: string
  /** When a terminated instance is forgotten. */
  readonly forgetAt?: number
}

/** What an instance is, or is on its way to, by what is asked of it: true before anything has been done about it. */
export function instanceState({ state, desiredState }: Instance): Instance['state'] {
  if (state === 'terminated') return state
  switch (desiredState) {
    case 'running':
      return state === 'running' ? 'running' : 'pending'
    case 'stopped':
      return state === 'stopped' ? 'stopped' : 'stopping'
    case 'terminated':
      return 'shutting-down'
  }
}

/** How long a terminated instance can still be described. */
export const instanceForgottenAfterMs = 3_600_000

/** The role an instance acts in when it was given no other. */
export const instanceRoleName = 'ecsInstanceRole'

export interface ProfileRole {
  readonly roleName: string
  readonly roleId: string
  readonly instanceProfileId: string
}

/** What an instance without a profile of its own acts in. */
export const builtInRole: ProfileRole = {
  roleName: instanceRoleName,
  roleId: 'AROABERTHECSINSTROLE1',
  instanceProfileId: 'AIPABERTHECSINSTROLE1',
}

/** Who an instance is when it signs a request. */
export function instanceRole({
  accountId,
  instanceId,
  iamInstanceProfileArn,
  profileRole = builtInRole,
}: Pick<Instance, 'accountId' | 'instanceId' | 'iamInstanceProfileArn' | 'profileRole'>): {
  readonly roleName: string
  readonly principalArn: string
  readonly userId: string
  readonly instanceProfileArn: string
  readonly instanceProfileId: string
} {
  const { roleName, roleId, instanceProfileId } = profileRole
  return {
    roleName,
    principalArn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${instanceId}`,
    userId: `${roleId}:${instanceId}`,
    instanceProfileArn:
      iamInstanceProfileArn ?? `arn:aws:iam::${accountId}:instance-profile/${instanceRoleName}`,
    instanceProfileId,
  }
}

export interface Vpc extends Scope {
  readonly vpcId: string
  readonly cidrBlock: string
  readonly isDefault: boolean
  /** Absent: as AWS makes them, true and, but in the default VPC, false. Kept only; names are resolved all the same. */
  readonly enableDnsSupport?: boolean
  readonly enableDnsHostnames?: boolean
}

export interface Subnet extends Scope {
  readonly subnetId: string
  readonly vpcId: string
  readonly cidrBlock: string
  readonly availabilityZone: string
  readonly availabilityZoneId: string
  readonly mapPublicIpOnLaunch: boolean
  readonly defaultForAz: boolean
}

export interface SecurityGroup extends Scope {
  readonly groupId: string
  readonly groupName: string
  readonly description: string
  readonly vpcId: string
  /** Absent: those of a default group that nobody has changed. */
  readonly rules?: readonly SecurityGroupRule[]
}
