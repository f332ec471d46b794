/** What the provider writes to `instance.json` and the instance reads when it boots: its identity, size and places. */
export interface InstanceDescription {
  readonly instanceId: string
  readonly accountId: string
  readonly region: string
  readonly availabilityZone: string
  readonly availabilityZoneId: string
  readonly imageId: string
  readonly instanceType: string
  readonly reservationId: string
  readonly launchIndex: number
  /** Milliseconds since the epoch. */
  readonly launchTime: number
  readonly boot: number

  readonly vpcId: string
  readonly vpcCidrBlock: string
  readonly subnetId: string
  readonly subnetCidrBlock: string
  readonly networkInterfaceId: string
  readonly macAddress: string
  readonly privateIpAddress: string
  readonly privateDnsName: string
  readonly publicIpAddress?: string
  readonly publicDnsName?: string
  readonly securityGroups: ReadonlyArray<{ readonly groupId: string; readonly groupName: string }>
  readonly keyName?: string
  /** Base64, as given to RunInstances. */
  readonly userData?: string
  readonly httpTokens: 'optional' | 'required'
  readonly role: InstanceRole

  readonly vcpu: number
  readonly memoryMiB: number

  /** `http://<gateway>:<port>`: where the control plane is, seen from inside. */
  readonly controlPlaneUrl: string
  /** The loopback port of image references (`localhost:4566/web:1`), forwarded to the control plane. */
  readonly registryPort: number
  /** Kept while the instance is stopped: Docker's data, the agent's data, logs. */
  readonly directory: string
  /** Sockets and pid files; gone after a reboot of the machine. */
  readonly runDirectory: string
  /** The cgroup with the limits of the instance type, as Docker names it: `/berth-…/i-…/containers`. */
  readonly cgroupParent: string
}

/** The role whose credentials the metadata service hands out. */
interface InstanceRole {
  readonly name: string
  readonly instanceProfileArn: string
  readonly instanceProfileId: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}
