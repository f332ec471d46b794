/**
 * The policies that AWS keeps for everybody, those that users of ECS attach. Of those that speak of hundreds of services
 * (ReadOnlyAccess, PowerUserAccess), what they say of the services that Berth has.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
 */
import { hash } from 'node:crypto'
import { loadBalancing, network, pullImages, reading, writeLogs } from './managed-policy-actions.ts'
import { uniqueId } from './unique-id.ts'

export interface ManagedPolicy {
  readonly arn: string
  readonly policyName: string
  readonly policyId: string
  readonly path: string
  readonly description: string
  readonly versionId: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly document: string
}

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: object
}

const allow = (actions: readonly string[], resource: string | readonly string[] = '*'): Statement => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resource,
})

/** Roles may be passed to these services only. */
const passRole = (services: readonly string[], resource: string | readonly string[] = '*'): Statement => ({
  ...allow(['iam:PassRole'], resource),
  Condition: { StringLike: { 'iam:PassedToService': services } },
})

type Row = readonly [name: string, path: string, description: string, statements: readonly Statement[]]

const rows: readonly Row[] = [
  ['AdministratorAccess', '/', 'Provides full access to AWS services and resources.', [allow(['*'])]],
  [
    'PowerUserAccess',
    '/',
    'Provides full access to AWS services and resources, but does not allow management of Users and groups.',
    [
      { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' },
      allow(['iam:CreateServiceLinkedRole', 'iam:DeleteServiceLinkedRole', 'iam:ListRoles']),
    ],
  ],
  ['ReadOnlyAccess', '/', 'Provides read-only access to AWS services and resources.', [allow(reading)]],
  [
    'AmazonECSTaskExecutionRolePolicy',
    '/service-role/',
    'Provides access to other AWS service resources that are required to run Amazon ECS tasks',
    [allow([...pullImages, ...writeLogs])],
  ],
  [
    'AmazonEC2ContainerServiceforEC2Role',
    '/service-role/',
    'Default policy for the Amazon EC2 Role for Amazon EC2 Container Service.',
    [
      allow([
        'ec2:DescribeTags',
        'ecs:CreateCluster',
        'ecs:DeregisterContainerInstance',
        'ecs:DiscoverPollEndpoint',
        'ecs:Poll',
        'ecs:RegisterContainerInstance',
        'ecs:StartTelemetrySession',
        'ecs:UpdateContainerInstancesState',
        'ecs:Submit*',
        ...pullImages,
        ...writeLogs,
      ]),
      {
        ...allow(['ecs:TagResource']),
        Condition: { StringEquals: { 'ecs:CreateAction': ['CreateCluster', 'RegisterContainerInstance'] } },
      },
    ],
  ],
  [
    'AmazonEC2ContainerServiceRole',
    '/service-role/',
    'Default policy for Amazon ECS service role.',
    [allow(['ec2:AuthorizeSecurityGroupIngress', 'ec2:Describe*', ...loadBalancing])],
  ],
  [
    'AmazonEC2ContainerServiceEventsRole',
    '/service-role/',
    'Policy to enable CloudWatch Events for EC2 Container Service',
    [
      allow(['ecs:RunTask']),
      passRole(['ecs-tasks.amazonaws.com']),
      {
        ...allow(['ecs:TagResource']),
        Condition: { StringEquals: { 'ecs:CreateAction': ['RunTask'] } },
      },
    ],
  ],
  [
    'AmazonECSInfrastructureRolePolicyForVolumes',
    '/service-role/',
    'Provides access to other AWS service resources required to manage volumes associated with ECS workloads on your behalf.',
    [
      allow([
        'ec2:AttachVolume',
        'ec2:CreateTags',
        'ec2:CreateVolume',
        'ec2:DeleteVolume',
        'ec2:DescribeAvailabilityZones',
        'ec2:DescribeInstances',
        'ec2:DescribeVolumes',
        'ec2:DetachVolume',
      ]),
    ],
  ],
  [
    'AmazonECS_FullAccess',
    '/',
    'Provides administrative access to Amazon ECS resources and enables ECS features through access to other AWS service resources, including VPCs, Auto Scaling groups, and CloudFormation stacks.',
    [
      allow([
        'application-autoscaling:*',
        'autoscaling:*',
        'cloudwatch:DeleteAlarms',
        'cloudwatch:DescribeAlarms',
        'cloudwatch:GetMetricStatistics',
        'cloudwatch:PutMetricAlarm',
        'codedeploy:*',
        'ec2:AuthorizeSecurityGroupIngress',
        'ec2:CreateSecurityGroup',
        'ec2:Describe*',
        'ec2:RunInstances',
        'ec2:TerminateInstances',
        'ecs:*',
        'elasticloadbalancing:*',
        'events:DeleteRule',
        'events:DescribeRule',
        'events:ListRuleNamesByTarget',
        'events:ListTargetsByRule',
        'events:PutRule',
        'events:PutTargets',
        'events:RemoveTargets',
        'iam:ListAttachedRolePolicies',
        'iam:ListInstanceProfiles',
        'iam:ListRoles',
        'logs:CreateLogGroup',
        'logs:DescribeLogGroups',
        'logs:FilterLogEvents',
        'servicediscovery:*',
      ]),
      allow(
        ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
        'arn:aws:ssm:*:*:parameter/aws/service/ecs*',
      ),
      passRole(['ecs-tasks.amazonaws.com']),
      passRole(['ec2.amazonaws.com', 'ec2.amazonaws.com.cn'], 'arn:aws:iam::*:role/ecsInstanceRole*'),
      {
        ...allow(['iam:CreateServiceLinkedRole']),
        Condition: {
          StringLike: {
            'iam:AWSServiceName': [
              'autoscaling.amazonaws.com',
              'ecs.amazonaws.com',
              'ecs.application-autoscaling.amazonaws.com',
              'spot.amazonaws.com',
              'spotfleet.amazonaws.com',
            ],
          },
        },
      },
    ],
  ],
  [
    'AmazonECSServiceRolePolicy',
    '/aws-service-role/',
    'Policy to enable Amazon ECS to manage your cluster.',
    [
      allow([
        ...network,
        ...loadBalancing,
        'servicediscovery:*',
        'application-autoscaling:*',
        'cloudwatch:*',
        ...writeLogs,
      ]),
    ],
  ],
  [
    'AmazonSSMReadOnlyAccess',
    '/',
    'Provides read only access to Amazon SSM.',
    [allow(['ssm:Describe*', 'ssm:Get*', 'ssm:List*'])],
  ],
  ['AmazonSSMFullAccess', '/', 'Provides full access to Amazon SSM.', [allow(['ssm:*', 'ssmmessages:*'])]],
  [
    'AmazonSSMManagedInstanceCore',
    '/',
    'The policy for Amazon EC2 Role to enable AWS Systems Manager service core functionality.',
    [
      allow([
        'ssm:DescribeDocument',
        'ssm:GetDocument',
        'ssm:GetParameter',
        'ssm:GetParameters',
        'ssm:UpdateInstanceInformation',
      ]),
      allow([
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ]),
    ],
  ],
  [
    'SecretsManagerReadWrite',
    '/',
    'Provides read/write access to AWS Secrets Manager via the AWS Management Console. Note: this excludes IAM actions, so combine with IAMFullAccess if rotation configuration is required.',
    [
      allow([
        'secretsmanager:*',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
        'kms:DescribeKey',
        'kms:ListAliases',
        'kms:ListKeys',
        'tag:GetResources',
      ]),
    ],
  ],
  [
    'CloudWatchLogsFullAccess',
    '/',
    'Provides full access to CloudWatch Logs',
    [allow(['logs:*', 'cloudwatch:GenerateQuery'])],
  ],
  [
    'CloudWatchLogsReadOnlyAccess',
    '/',
    'Provides read only access to CloudWatch Logs',
    [
      allow([
        'logs:Describe*',
        'logs:Get*',
        'logs:List*',
        'logs:StartQuery',
        'logs:StopQuery',
        'logs:TestMetricFilter',
        'logs:FilterLogEvents',
        'logs:StartLiveTail',
        'logs:StopLiveTail',
      ]),
    ],
  ],
  [
    'CloudWatchAgentServerPolicy',
    '/',
    'Permissions required to use AmazonCloudWatchAgent on servers',
    [
      allow([
        'cloudwatch:PutMetricData',
        'ec2:DescribeVolumes',
        'ec2:DescribeTags',
        'logs:PutLogEvents',
        'logs:PutRetentionPolicy',
        'logs:DescribeLogStreams',
        'logs:DescribeLogGroups',
        'logs:CreateLogStream',
        'logs:CreateLogGroup',
      ]),
      allow(['ssm:GetParameter'], 'arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*'),
    ],
  ],
  [
    'AmazonEC2ContainerRegistryReadOnly',
    '/',
    'Provides read-only access to Amazon EC2 Container Registry repositories.',
    [
      allow([
        ...pullImages,
        'ecr:GetRepositoryPolicy',
        'ecr:DescribeRepositories',
        'ecr:ListImages',
        'ecr:DescribeImages',
        'ecr:GetLifecyclePolicy',
        'ecr:ListTagsForResource',
      ]),
    ],
  ],
  [
    'AmazonEC2ContainerRegistryFullAccess',
    '/',
    'Provides administrative access to Amazon ECR resources',
    [allow(['ecr:*', 'cloudtrail:LookupEvents'])],
  ],
  [
    'AmazonEC2FullAccess',
    '/',
    'Provides full access to Amazon EC2 via the AWS Management Console.',
    [allow(['ec2:*', 'elasticloadbalancing:*', 'cloudwatch:*', 'autoscaling:*'])],
  ],
  [
    'AmazonEC2ReadOnlyAccess',
    '/',
    'Provides read only access to Amazon EC2 via the AWS Management Console.',
    [allow(['ec2:Describe*', 'ec2:Get*', 'elasticloadbalancing:Describe*'])],
  ],
  [
    'AmazonS3ReadOnlyAccess',
    '/',
    'Provides read only access to all buckets via the AWS Management Console.',
    [allow(['s3:Get*', 's3:List*', 's3:Describe*'])],
  ],
  [
    'AmazonS3FullAccess',
    '/',
    'Provides full access to all buckets via the AWS Management Console.',
    [allow(['s3:*'])],
  ],
  ['IAMFullAccess', '/', 'Provides full access to IAM via the AWS Management Console.', [allow(['iam:*'])]],
  [
    'IAMReadOnlyAccess',
    '/',
    'Provides read only access to IAM via the AWS Management Console.',
    [allow(['iam:Generate*', 'iam:Get*', 'iam:List*', 'iam:Simulate*'])],
  ],
]

/** One date for all: when each was made on AWS tells nobody anything. */
const madeAt = Date.UTC(2015, 1, 6, 18, 40)

/** By ARN. */
export const managedPolicies: ReadonlyMap<string, ManagedPolicy> = new Map(
  rows.map(([policyName, path, description, statements]): [string, ManagedPolicy] => {
    const arn = `arn:aws:iam::aws:policy${path}${policyName}`
    return [
      arn,
      {
        arn,
        policyName,
        path,
        description,
        policyId: uniqueId('ANPA', hash('sha256', arn)),
        versionId: 'v1',
        createdAt: madeAt,
        updatedAt: madeAt,
        document: JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 4),
      },
    ]
  }),
)
