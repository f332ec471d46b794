import type { Scope } from './arn.ts'
import { addressNumber, privateDnsName } from './ec2-network.ts'
import type { Subnet } from './instance.ts'

/** A network interface: one that ECS made for a task of network mode awsvpc, or one that a user made, which is nowhere. */
export interface NetworkInterface extends Scope {
  readonly networkInterfaceId: string
  readonly vpcId: string
  readonly subnetId: string
  readonly availabilityZone: string
  readonly privateIpAddress: string
  readonly macAddress: string
  readonly securityGroupIds: readonly string[]
  readonly description: string
  readonly sourceDestCheck: boolean
  /** Its address serves as a public one too. */
  readonly hasPublicAddress?: true
  /** Set when it is a task's; it then goes with the task. */
  readonly taskArn?: string
  readonly attachmentId?: string
  readonly containerInstanceArn?: string
  /** The EC2 instance that carries it. */
  readonly instanceId?: string
  /** Absent before its agent has said so. */
  readonly attachedAt?: number
  readonly createdAt: number
}

/** Of one attachment of a task, what DescribeTasks shows. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Attachment.html */
export interface TaskAttachment {
  readonly id: string
  readonly type: 'ElasticNetworkInterface'
  readonly status: 'PRECREATED' | 'ATTACHING' | 'ATTACHED' | 'DELETED' | 'FAILED'
  readonly details: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

/** What a task's network interface is to be: one of these subnets, all of these groups. */
export interface TaskNetwork {
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
  readonly assignPublicIp: boolean
  /** Of a Fargate task: that of the first subnet, where it is to be. */
  readonly availabilityZone?: string
}

/** The MAC address of an interface: locally administered, and its address's own. */
export function macAddressOf(privateIpAddress: string): string {
  const octets = privateIpAddress.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))
  return `0a:fe:${octets.join(':')}`
}

/** The gateway's address of a subnet, the first one after the subnet's own, with the prefix length: `172.31.0.1/20`. */
export function gatewayOfSubnet({ cidrBlock }: Pick<Subnet, 'cidrBlock'>): string {
  const [network = '', length = '32'] = cidrBlock.split('/')
  const number = addressNumber(network) + 1
  return `${[24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')}/${length}`
}

/** The attachment of a task whose interface is not there yet: of it only the subnet is known. */
export function precreatedAttachment(id: string, subnetId: string | undefined): TaskAttachment {
  return {
    id,
    type: 'ElasticNetworkInterface',
    status: 'PRECREATED',
    details: subnetId === undefined ? [] : [{ name: 'subnetId', value: subnetId }],
  }
}

/** The attachment once there is the interface, with its details in AWS's order. */
export function attachmentOf(row: NetworkInterface, status: TaskAttachment['status']): TaskAttachment {
  return {
    id: row.attachmentId ?? '',
    type: 'ElasticNetworkInterface',
    status,
    details: [
      { name: 'subnetId', value: row.subnetId },
      { name: 'networkInterfaceId', value: row.networkInterfaceId },
      { name: 'macAddress', value: row.macAddress },
      { name: 'privateDnsName', value: privateDnsName(row.privateIpAddress, row.region) },
      { name: 'privateIPv4Address', value: row.privateIpAddress },
    ],
  }
}

/** One detail of an attachment, such as `privateIPv4Address`. */
export function attachmentDetail({ details }: TaskAttachment, name: string): string | undefined {
  return details.find((detail) => detail.name === name)?.value
}

/** An interface is there when its agent says so, and where a container of its task runs: that report may come first. */
export function observedAttachments(
  attachments: readonly TaskAttachment[] | undefined,
  running: boolean,
  attached: readonly string[] = [],
): readonly TaskAttachment[] | undefined {
  const isNews = ({ id, status }: TaskAttachment): boolean =>
    status === 'ATTACHING' && (running || attached.includes(id))
  if (!attachments?.some(isNews)) return attachments
  return attachments.map((attachment) =>
    isNews(attachment) ? { ...attachment, status: 'ATTACHED' } : attachment,
  )
}

/** Those of a task that is STOPPED. */
export function deletedAttachments(attachments: readonly TaskAttachment[]): readonly TaskAttachment[] {
  return attachments.map((attachment) => ({ ...attachment, status: 'DELETED' }))
}

/** Whether a task is to have an interface and has none yet. */
export function lacksInterface({
  attachments = [],
}: {
  readonly attachments?: readonly TaskAttachment[]
}): boolean {
  return attachments.some(({ status }) => status === 'PRECREATED')
}
