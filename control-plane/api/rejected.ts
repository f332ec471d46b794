import { inputs } from './ec2/inputs.ts'
import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const ecs = exceptionsOf('ecs', 'rejected')
const ec2 = exceptionsOf('ec2', 'rejected')
const both = ['CreateService', 'UpdateService'] as const

/** Everything that is refused with an error that says so, for docs/compatibility.md. */
export const rejected: readonly ParameterException[] = [
  ...both.flatMap((operation) => [
    ecs(
      operation,
      'deploymentConfiguration.strategy',
      'ROLLING only for DAEMON services; without load balancers there is no traffic to shift, and it counts as shifted at once',
      'partly',
    ),
    ecs(
      operation,
      'deploymentConfiguration.alarms',
      'there is no CloudWatch; `enable: false` is taken',
      'partly',
    ),
    ecs(
      operation,
      'deploymentConfiguration.lifecycleHooks',
      'PAUSE only, as there is no Lambda; not for ROLLING',
      'partly',
    ),
    ecs(operation, 'loadBalancers', 'no load balancers yet'),
    ecs(operation, 'serviceRegistries', 'no service discovery yet'),
    ecs(
      operation,
      'serviceConnectConfiguration',
      'no Service Connect yet; `enabled: false` is taken',
      'partly',
    ),
    ecs(operation, 'volumeConfigurations', 'no volumes configured at launch yet'),
    ecs(operation, 'vpcLatticeConfigurations', 'no VPC Lattice yet'),
    ecs(operation, 'gatewayConnectors', 'no gateways yet'),
    ecs(operation, 'monitoring', 'no metrics of services yet'),
  ]),
  ecs(
    'UpdateService',
    'deploymentController',
    'a service keeps the controller it was created with',
    'partly',
  ),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'volumeConfigurations', 'no volumes configured at launch yet'),
  ),
  ...['RunTask', 'StartTask'].map((operation) =>
    ecs(operation, 'overrides.inferenceAcceleratorOverrides', 'Elastic Inference is no more'),
  ),
  ecs('CreateTaskSet', 'loadBalancers', 'no load balancers yet'),
  ecs('CreateTaskSet', 'serviceRegistries', 'no service discovery yet'),
  ecs('RegisterTaskDefinition', 'inferenceAccelerators', 'Elastic Inference is no more'),
  ecs(
    'RegisterTaskDefinition',
    'containerDefinitions[].resourceRequirements[].sharingStrategy',
    'GPUs are not shared',
  ),
  ecs(
    'RegisterDaemonTaskDefinition',
    'volumes[].logDriverVolumeConfiguration',
    'no volumes of log files yet; a host path is taken',
  ),
  ...['CreateDaemon', 'UpdateDaemon'].map((operation) =>
    ecs(
      operation,
      'deploymentConfiguration.alarms',
      'there is no CloudWatch; `enable: false` is taken',
      'partly',
    ),
  ),
  ...inputs.RunInstances.refused.map((parameter) => ec2('RunInstances', parameter, 'not there')),
]
