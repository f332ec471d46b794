import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const ecs = exceptionsOf('ecs')
const ecr = exceptionsOf('ecr')
const ec2 = exceptionsOf('ec2')

const groupsOfInstances =
  'rules of other groups that name them hold for the instance; their own filter what tasks of network mode awsvpc send and get'

/** Everything accepted that does nothing, or not all it says, for docs/compatibility.md. What is refused is in rejected.ts. */
export const storedOnly: readonly ParameterException[] = [
  ecs(
    'CreateCluster',
    'configuration.managedStorageConfiguration',
    'no storage of Berth is encrypted with a key of yours',
  ),
  ecs('CreateCluster', 'serviceConnectDefaults', 'no service takes a default namespace'),
  ecs('CreateCluster', 'settings', 'Container Insights collects nothing'),
  ecs(
    'UpdateCluster',
    'configuration.managedStorageConfiguration',
    'no storage of Berth is encrypted with a key of yours',
  ),
  ecs('UpdateCluster', 'serviceConnectDefaults', 'no service takes a default namespace'),
  ecs('UpdateCluster', 'settings', 'Container Insights collects nothing'),
  ecs('UpdateClusterSettings', 'settings', 'Container Insights collects nothing'),
  ecs(
    'PutAccountSetting',
    'value',
    'containerInsights is the default of new clusters; the other settings have no effect',
  ),
  ecs(
    'PutAccountSettingDefault',
    'value',
    'containerInsights is the default of new clusters; the other settings have no effect',
  ),
  ecs(
    'RegisterContainerInstance',
    'instanceIdentityDocumentSignature',
    "the document is believed; of Berth's own instances its row is",
    'ignored',
  ),
  ...['targetType', 'targetId'].map((member) =>
    ecs(
      'RegisterContainerInstance',
      `attributes[].${member}`,
      'attributes that an agent registers are those of its instance',
      'ignored',
    ),
  ),
  ...['containerInstance', 'cluster'].map((parameter) =>
    ecs('DiscoverPollEndpoint', parameter, 'every agent is given the one endpoint', 'ignored'),
  ),
  ecs('ListServicesByNamespace', 'nextToken', 'there are no namespaces that could have pages', 'ignored'),
  ecs('SubmitAttachmentStateChanges', 'cluster', 'attachments are named by their ARNs', 'ignored'),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(
      operation,
      'overrides.containerOverrides[].resourceRequirements[].sharingStrategy',
      'GPUs are not shared',
      'ignored',
    ),
  ),
  ...['CreateCluster', 'UpdateCluster'].map((operation) =>
    ecs(
      operation,
      'configuration.executeCommandConfiguration',
      'sessions are logged to CloudWatch Logs; where encryption or Amazon S3 is asked for, ExecuteCommand refuses',
      'partly',
    ),
  ),
  ...['CreateCapacityProvider', 'UpdateCapacityProvider'].flatMap((operation) => [
    ecs(
      operation,
      'autoScalingGroupProvider',
      'there are no Auto Scaling groups yet and nothing scales: EC2 instances are given to a provider by a tag',
    ),
    ecs(
      operation,
      'managedInstancesProvider',
      'no instance is started for it: EC2 instances are given to a provider by a tag',
    ),
  ]),
  ...['RunTask', 'CreateService', 'UpdateService'].map((operation) =>
    ecs(operation, 'platformVersion', 'checked and shown; tasks run alike on every version', 'partly'),
  ),
  ecs('RegisterContainerInstance', 'platformDevices', 'devices that are not GPUs are not counted', 'partly'),
  ...['name', 'appProtocol'].map((member) =>
    ecs(
      'RegisterTaskDefinition',
      `containerDefinitions[].portMappings[].${member}`,
      'for Service Connect, which is not there yet',
    ),
  ),
  ...['CreateDaemon', 'UpdateDaemon'].flatMap((operation) => [
    ecs(
      operation,
      'critical',
      'of a daemon that is not critical no deployment waits for instances without room; no instance is drained because its daemon task ended, it gets another',
      'partly',
    ),
  ]),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'referenceId', 'not shown, as at AWS', 'ignored'),
  ),
  ecr('CreateRepository', 'encryptionConfiguration', 'images are kept as they are, not encrypted'),
  ecr('CreateRepository', 'imageScanningConfiguration', 'images are not scanned'),
  ...['Authorize', 'Revoke'].flatMap((verb) =>
    ['Ingress', 'Egress'].map((direction) =>
      ec2(
        `${verb}SecurityGroup${direction}`,
        'SourceSecurityGroupOwnerId',
        'groups of other accounts cannot be named',
        'ignored',
      ),
    ),
  ),
  ec2('CreateVpc', 'InstanceTenancy', 'all instances share this machine', 'ignored'),
  ...['EnableDnsSupport', 'EnableDnsHostnames'].map((member) =>
    ec2('ModifyVpcAttribute', member, 'shown; names are resolved by the resolver of this machine'),
  ),
  ec2('ModifyNetworkInterfaceAttribute', 'SourceDestCheck', 'shown; no interface forwards'),
  ...['CreateRoute', 'ReplaceRoute'].map((operation) =>
    ec2(operation, 'GatewayId', 'kept; every VPC reaches the world outside over this machine'),
  ),
  ec2('AttachInternetGateway', 'VpcId', 'kept; every VPC reaches the world outside over this machine'),
  ec2('RunInstances', 'AdditionalInfo', 'reserved by AWS', 'ignored'),
  ec2('RunInstances', 'CreditSpecification', 'instances have their whole CPU always', 'ignored'),
  ec2('RunInstances', 'EbsOptimized', 'there are no volumes; shown as false'),
  ec2(
    'RunInstances',
    'IamInstanceProfile',
    'one that nobody made is taken too: its instance acts in the role ecsInstanceRole',
    'partly',
  ),
  ec2('RunInstances', 'ImageId', 'instances of every image are the same: Docker and the agent'),
  ec2('RunInstances', 'InstanceInitiatedShutdownBehavior', 'an instance cannot shut itself down', 'ignored'),
  ec2('RunInstances', 'KeyName', 'shown, also in instance metadata; nobody logs in'),
  ec2('RunInstances', 'MaintenanceOptions', 'an instance that ends is always booted again', 'ignored'),
  ec2('RunInstances', 'MetadataOptions.HttpPutResponseHopLimit', 'not enforced: containers are served too'),
  ec2('RunInstances', 'Monitoring', 'no metrics are collected; shown as disabled'),
  ec2('RunInstances', 'NetworkInterfaces[].Description', 'there is nobody to read it', 'ignored'),
  ec2('RunInstances', 'SecurityGroupIds', groupsOfInstances, 'partly'),
  ec2('RunInstances', 'SecurityGroups', groupsOfInstances, 'partly'),
  ec2(
    'RunInstances',
    'TagSpecifications',
    'tags for volumes are not kept, as there are no volumes',
    'partly',
  ),
  ec2('RunInstances', 'UserData', 'settings of the ECS agent are read from it; scripts are not run'),
  ec2('StartInstances', 'AdditionalInfo', 'reserved by AWS', 'ignored'),
  ...['StopInstances', 'TerminateInstances'].flatMap((operation) =>
    ['Force', 'SkipOsShutdown'].map((parameter) =>
      ec2(operation, parameter, 'containers have ten seconds to end by themselves always'),
    ),
  ),
]
