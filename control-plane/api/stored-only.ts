import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const ecs = exceptionsOf('ecs')
const ecr = exceptionsOf('ecr')
const ec2 = exceptionsOf('ec2')

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
  ecs('SubmitAttachmentStateChanges', 'cluster', 'no network interface is ever attached', 'ignored'),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(
      operation,
      'overrides.containerOverrides[].resourceRequirements[].sharingStrategy',
      'GPUs are not shared',
      'ignored',
    ),
  ),
  ...['CreateCluster', 'UpdateCluster'].map((operation) =>
    ecs(operation, 'configuration.executeCommandConfiguration', 'ExecuteCommand is not there yet'),
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
  ecs('RunTask', 'platformVersion', 'checked; there is no Fargate capacity yet', 'ignored'),
  ...['CreateService', 'UpdateService'].map((operation) =>
    ecs(operation, 'platformVersion', 'checked; there is no Fargate capacity yet'),
  ),
  ecs('RegisterContainerInstance', 'platformDevices', 'devices that are not GPUs are not counted', 'partly'),
  ecs('SubmitTaskStateChange', 'managedAgents', 'ExecuteCommand is not there yet', 'ignored'),
  ecs('SubmitTaskStateChange', 'attachments', 'no network interface is ever attached', 'ignored'),
  ...['taskRoleArn', 'executionRoleArn'].flatMap((parameter) => [
    ecs(
      'RegisterTaskDefinition',
      parameter,
      'tasks get no credentials; the instance pulls images with its own',
    ),
    ...['RunTask', 'StartTask'].map((operation) =>
      ecs(operation, `overrides.${parameter}`, 'tasks get no credentials'),
    ),
  ]),
  ...['name', 'appProtocol'].map((member) =>
    ecs(
      'RegisterTaskDefinition',
      `containerDefinitions[].portMappings[].${member}`,
      'for Service Connect, which is not there yet',
    ),
  ),
  ecs(
    'RegisterTaskDefinition',
    'containerDefinitions[].versionConsistency',
    'images are pulled by the tag as written',
  ),
  ...['taskRoleArn', 'executionRoleArn'].map((parameter) =>
    ecs(
      'RegisterDaemonTaskDefinition',
      parameter,
      'tasks get no credentials; the instance pulls images with its own',
    ),
  ),
  ...['CreateDaemon', 'UpdateDaemon'].flatMap((operation) => [
    ecs(
      operation,
      'critical',
      'of a daemon that is not critical no deployment waits for instances without room; no instance is drained because its daemon task ended, it gets another',
      'partly',
    ),
    ecs(operation, 'enableExecuteCommand', 'no agent runs commands yet, as ExecuteCommand answers'),
  ]),
  ...['RunTask', 'StartTask', 'CreateService', 'UpdateService'].map((operation) =>
    ecs(operation, 'enableExecuteCommand', 'no agent runs commands yet, as ExecuteCommand answers'),
  ),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'referenceId', 'not shown, as at AWS', 'ignored'),
  ),
  ecr('CreateRepository', 'encryptionConfiguration', 'images are kept as they are, not encrypted'),
  ecr('CreateRepository', 'imageScanningConfiguration', 'images are not scanned'),
  ec2('RunInstances', 'AdditionalInfo', 'reserved by AWS', 'ignored'),
  ec2('RunInstances', 'CreditSpecification', 'instances have their whole CPU always', 'ignored'),
  ec2('RunInstances', 'EbsOptimized', 'there are no volumes; shown as false'),
  ec2('RunInstances', 'IamInstanceProfile', 'every instance acts in the role ecsInstanceRole'),
  ec2('RunInstances', 'ImageId', 'instances of every image are the same: Docker and the agent'),
  ec2('RunInstances', 'InstanceInitiatedShutdownBehavior', 'an instance cannot shut itself down', 'ignored'),
  ec2('RunInstances', 'KeyName', 'shown, also in instance metadata; nobody logs in'),
  ec2('RunInstances', 'MaintenanceOptions', 'an instance that ends is always booted again', 'ignored'),
  ec2('RunInstances', 'MetadataOptions.HttpPutResponseHopLimit', 'not enforced: containers are served too'),
  ec2('RunInstances', 'Monitoring', 'no metrics are collected; shown as disabled'),
  ec2('RunInstances', 'NetworkInterfaces[].Description', 'there is nobody to read it', 'ignored'),
  ec2('RunInstances', 'SecurityGroupIds', 'groups filter nothing'),
  ec2('RunInstances', 'SecurityGroups', 'groups filter nothing'),
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
