/** What holds of the rows of networks, identities, secrets and schedules; see invariants.ts. */
import { formatArn, scopeKey } from '#domain/arn.ts'
import { iamKey } from '#domain/iam/entities.ts'
import { managedPolicies } from '#domain/iam/managed-policies.ts'
import { defaultGroup } from '#domain/schedule/schedule.ts'
import { rulesOfGroup } from '#domain/security-group.ts'
import type { View } from './store.ts'

/** Every such invariant that does not hold, in a sentence each. Walks all rows. */
export function brokenServices(view: View): string[] {
  return [
    ...brokenInterfaces(view),
    ...brokenNetworks(view),
    ...brokenHolders(view),
    ...brokenPolicies(view),
    ...brokenSecrets(view),
    ...brokenParameters(view),
    ...brokenSchedules(view),
  ]
}

const unless = (holds: boolean, what: string): string[] => (holds ? [] : [what])
const repeated = (values: readonly string[]): readonly string[] =>
  values.filter((value, index) => values.indexOf(value) !== index)
const twice = (values: readonly string[], what: string): string[] =>
  repeated(values).map((value) => `${what} ${value} is there twice`)

/** A task has one interface while it is somewhere, and nobody else has its address. */
function brokenInterfaces(view: View): string[] {
  const interfaces = view.list('networkInterface')
  const instances = view.list('instance').filter(({ state }) => state !== 'terminated')
  return [
    ...twice(
      [...interfaces, ...instances].map(({ privateIpAddress }) => privateIpAddress),
      'the address',
    ),
    ...twice(
      interfaces.flatMap(({ taskArn }) => taskArn ?? []),
      'the interface of',
    ),
    ...interfaces.flatMap((row) => {
      const { networkInterfaceId: id, taskArn, attachmentId, containerInstanceArn, subnetId } = row
      const task = taskArn === undefined ? undefined : view.find('task', taskArn)
      const attachment = task?.attachments?.find((each) => each.id === attachmentId)
      return [
        ...unless(view.find('subnet', subnetId)?.vpcId === row.vpcId, `${id} is in a subnet of another VPC`),
        ...unless(
          task === undefined || task.containerInstanceArn === containerInstanceArn,
          `${id} is on another instance than its task`,
        ),
        ...unless(
          task === undefined || attachment !== undefined,
          `${id} is attached to ${taskArn}, which does not know it`,
        ),
        ...unless(
          taskArn !== undefined || (attachmentId === undefined && containerInstanceArn === undefined),
          `${id} is attached to nothing`,
        ),
      ]
    }),
    ...view.list('task').flatMap(({ taskArn, lastStatus, attachments = [] }) =>
      attachments.flatMap(({ id, status }) => {
        const attached = status === 'ATTACHING' || status === 'ATTACHED'
        return [
          ...unless(
            lastStatus !== 'STOPPED' || status === 'DELETED',
            `${taskArn} is STOPPED and its attachment ${status}`,
          ),
          ...unless(
            !attached || view.count('networkInterface', 'attachment', id) === 1,
            `${taskArn} has an interface ${status} that is not there`,
          ),
        ]
      }),
    ),
  ]
}

function brokenNetworks(view: View): string[] {
  const tables = view.list('routeTable')
  const lackOf = (ids: readonly string[], owner: string): string[] =>
    ids
      .filter((id) => view.find('securityGroup', id) === undefined)
      .map((id) => `${owner} is in the security group ${id}, which is not there`)
  return [
    ...view.list('networkInterface').flatMap((row) => lackOf(row.securityGroupIds, row.networkInterfaceId)),
    ...view
      .list('instance')
      .flatMap((row) => (row.state === 'terminated' ? [] : lackOf(row.securityGroupIds, row.instanceId))),
    ...view.list('securityGroup').flatMap((group) => {
      const rules = rulesOfGroup(group)
      const named = rules.flatMap(({ groupId }) => groupId ?? [])
      return [
        ...lackOf(named, `a rule of ${group.groupId}`),
        ...twice(
          rules.map(({ ruleId }) => ruleId),
          'the rule',
        ),
      ]
    }),
    ...twice(
      view.list('securityGroup').map(({ vpcId, groupName }) => `${vpcId} ${groupName}`),
      'the security group',
    ),
    ...twice(
      view.list('internetGateway').flatMap(({ vpcId }) => vpcId ?? []),
      'the internet gateway of',
    ),
    ...twice(
      tables.flatMap(({ associations }) => associations.map(({ subnetId }) => subnetId)),
      'the route table of',
    ),
    ...tables.flatMap(({ routeTableId, vpcId, associations, routes }) => [
      ...twice(
        routes.map(({ destinationCidrBlock }) => `${routeTableId} ${destinationCidrBlock}`),
        'the route',
      ),
      ...associations.flatMap(({ subnetId }) =>
        unless(
          view.find('subnet', subnetId)?.vpcId === vpcId,
          `${routeTableId} is of ${subnetId}, which is not in its VPC`,
        ),
      ),
    ]),
  ]
}

/** Users, groups and roles have policies and groups that are there. */
function brokenHolders(view: View): string[] {
  const holders = [...view.list('iamUser'), ...view.list('iamGroup'), ...view.list('iamRole')]
  return [
    ...holders.flatMap((holder) => {
      const { arn, accountId, attachedPolicyArns, inlinePolicies } = holder
      const boundary = 'permissionsBoundary' in holder ? holder.permissionsBoundary : undefined
      const groupNames = 'groupNames' in holder ? holder.groupNames : []
      return [
        ...[...attachedPolicyArns, ...(boundary === undefined ? [] : [boundary])].flatMap((policyArn) =>
          unless(isPolicy(view, policyArn), `${arn} has the policy ${policyArn}, which is not there`),
        ),
        ...twice([...attachedPolicyArns, ...groupNames], `${arn}:`),
        ...twice(
          inlinePolicies.map(({ policyName }) => policyName),
          `the policy of ${arn},`,
        ),
        ...groupNames.flatMap((name) =>
          unless(
            view.find('iamGroup', iamKey(accountId, name)) !== undefined,
            `${arn} is in the group ${name}, which is not there`,
          ),
        ),
      ]
    }),
    ...view
      .list('instanceProfile')
      .flatMap(({ arn, accountId, roleName }) =>
        unless(
          roleName === undefined || view.find('iamRole', iamKey(accountId, roleName)) !== undefined,
          `${arn} has the role ${roleName}, which is not there`,
        ),
      ),
    ...view
      .list('accessKey')
      .flatMap(({ accessKeyId, accountId, userName }) =>
        unless(
          userName === undefined || view.find('iamUser', iamKey(accountId, userName)) !== undefined,
          `${accessKeyId} is a key of ${userName}, who is not there`,
        ),
      ),
  ]
}

function isPolicy(view: View, arn: string): boolean {
  const key = iamKey(arn.split(':')[4] ?? '', arn.slice(arn.lastIndexOf('/') + 1))
  return managedPolicies.has(arn) || view.find('iamPolicy', key)?.arn === arn
}

function brokenPolicies(view: View): string[] {
  return view.list('iamPolicy').flatMap(({ arn, versions, defaultVersionId, versionsMade }) => {
    const ids = versions.map(({ versionId }) => versionId)
    return [
      ...unless(ids.includes(defaultVersionId), `${arn} has no version ${defaultVersionId}, its default`),
      ...unless(ids.length <= 5, `${arn} has ${ids.length} versions`),
      ...twice(ids, `the version of ${arn},`),
      ...unless(
        ids.every((id) => Number(id.slice(1)) <= versionsMade),
        `${arn} has versions that were never made`,
      ),
    ]
  })
}

/** Of a name there is one secret, and each of its labels is on one version. */
function brokenSecrets(view: View): string[] {
  const secrets = view.list('secret')
  return [
    ...twice(
      secrets.map((secret) => `${scopeKey(secret)} ${secret.name}`),
      'the secret',
    ),
    ...secrets.flatMap(({ secretArn, deletedAt, deleteAfter }) => {
      const stages = view.by('secretVersion', 'secret', secretArn).flatMap((version) => version.stages)
      return [
        ...twice(stages, `the label of ${secretArn},`),
        ...unless(
          stages.length === 0 || stages.includes('AWSCURRENT') || !stages.includes('AWSPREVIOUS'),
          `${secretArn} has a previous version and no current one`,
        ),
        ...unless(
          (deletedAt === undefined) === (deleteAfter === undefined),
          `${secretArn} is deleted by halves`,
        ),
      ]
    }),
    ...view
      .list('secretVersion')
      .flatMap(({ secretArn, versionId }) =>
        unless(
          view.find('secret', secretArn) !== undefined,
          `${versionId} is a version of ${secretArn}, which is not there`,
        ),
      ),
  ]
}

function brokenParameters(view: View): string[] {
  return [
    ...view.list('parameter').flatMap(({ parameterArn, version }) => {
      const versions = view.by('parameterVersion', 'parameter', parameterArn)
      return [
        ...unless(
          versions.at(-1)?.version === version,
          `${parameterArn} says it is of version ${version}, and has ${versions.at(-1)?.version}`,
        ),
        ...unless(versions.length <= 100, `${parameterArn} has ${versions.length} versions`),
        ...twice(
          versions.flatMap(({ labels }) => labels),
          `the label of ${parameterArn},`,
        ),
      ]
    }),
    ...view
      .list('parameterVersion')
      .flatMap(({ parameterArn, version }) =>
        unless(
          view.find('parameter', parameterArn) !== undefined,
          `there is version ${version} of ${parameterArn}, which is not there`,
        ),
      ),
  ]
}

function brokenSchedules(view: View): string[] {
  return [
    ...view
      .list('ruleTarget')
      .flatMap(({ ruleArn, id }) =>
        unless(
          view.find('rule', ruleArn) !== undefined,
          `${id} is a target of ${ruleArn}, which is not there`,
        ),
      ),
    ...view
      .list('rule')
      .flatMap(({ ruleArn, state, next }) =>
        unless(state === 'ENABLED' || next === undefined, `${ruleArn} is ${state} and is to fire`),
      ),
    ...view.list('schedule').flatMap((schedule) => {
      const { scheduleArn, state, next, groupName } = schedule
      const groupArn = formatArn(schedule, 'scheduler', `schedule-group/${groupName}`)
      return [
        ...unless(state === 'ENABLED' || next === undefined, `${scheduleArn} is ${state} and is to run`),
        ...unless(
          groupName === defaultGroup || view.find('scheduleGroup', groupArn) !== undefined,
          `${scheduleArn} is of a group that is not there`,
        ),
      ]
    }),
    ...twice(
      view.list('logGroup').map(({ storeId }) => storeId),
      'the store of logs',
    ),
  ]
}
