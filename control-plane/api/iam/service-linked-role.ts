import type * as IAM from '@aws-sdk/client-iam'
import type { Operation } from '#api/operation.ts'
import { iamArn, iamKey, type IamRole } from '#domain/iam/entities.ts'
import { managedPolicies } from '#domain/iam/managed-policies.ts'
import { uniqueId } from '#domain/iam/unique-id.ts'
import { checkNames, entityArn, invalidInput, noSuchEntity, resolveEntity } from './entity.ts'
import { showRole } from './role.ts'

interface Linked {
  readonly roleName: string
  readonly policyArn?: string
  /** May have a suffix, so that there is more than one. */
  readonly suffix?: boolean
}

/** The services whose roles users of ECS make, or have made for them. */
const services: Readonly<Record<string, Linked>> = {
  'ecs.amazonaws.com': {
    roleName: 'AWSServiceRoleForECS',
    policyArn: 'arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy',
  },
  'autoscaling.amazonaws.com': { roleName: 'AWSServiceRoleForAutoScaling', suffix: true },
  'ecs.application-autoscaling.amazonaws.com': {
    roleName: 'AWSServiceRoleForApplicationAutoScaling_ECSService',
  },
  'elasticloadbalancing.amazonaws.com': { roleName: 'AWSServiceRoleForElasticLoadBalancing' },
  'replication.ecr.amazonaws.com': { roleName: 'AWSServiceRoleForECRReplication' },
  'spot.amazonaws.com': { roleName: 'AWSServiceRoleForEC2Spot' },
}

export const createServiceLinkedRole: Operation<
  IAM.CreateServiceLinkedRoleRequest,
  IAM.CreateServiceLinkedRoleResponse
> = {
  resources: ({ scope }, { AWSServiceName = '' }) => [
    `arn:aws:iam::${scope.accountId}:role/aws-service-role/${AWSServiceName}/${services[AWSServiceName]?.roleName ?? '*'}`,
  ],
  run: (context, { AWSServiceName = '', Description, CustomSuffix }) => {
    checkNames({ customSuffix: [CustomSuffix, 64] }, undefined, (check) => {
      check.text('awsServiceName', AWSServiceName, { max: 128 })
      check.text('description', Description, { min: 0, max: 1000 })
    })
    const linked = Object.hasOwn(services, AWSServiceName) ? services[AWSServiceName] : undefined
    // No source gives AWS's words for a service that has no such roles.
    if (!linked) throw invalidInput(`Service linked roles of ${AWSServiceName} are not supported.`)
    if (CustomSuffix !== undefined && !linked.suffix)
      throw invalidInput('Custom suffix is not allowed for ' + AWSServiceName)
    const { accountId } = context.scope
    const roleName = linked.roleName + (CustomSuffix === undefined ? '' : `_${CustomSuffix}`)
    const path = `/aws-service-role/${AWSServiceName}/`
    const row: IamRole = {
      accountId,
      roleName,
      roleId: uniqueId('AROA', context.ids.hex(24)),
      path,
      arn: iamArn(accountId, 'role', path, roleName),
      createdAt: context.clock.now(),
      trustPolicy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: [AWSServiceName] } },
        ],
      }),
      ...(Description !== undefined && { description: Description }),
      maxSessionSeconds: 3600,
      inlinePolicies: [],
      attachedPolicyArns:
        linked.policyArn !== undefined && managedPolicies.has(linked.policyArn) ? [linked.policyArn] : [],
      tags: [],
    }
    context.store.update((tx) => {
      if (tx.find('iamRole', iamKey(accountId, roleName)))
        throw invalidInput(
          `Service role name ${roleName} has been taken in this account, please try a different suffix.`,
        )
      tx.put('iamRole', row)
    })
    return { Role: showRole(row) }
  },
}

export const deleteServiceLinkedRole: Operation<
  IAM.DeleteServiceLinkedRoleRequest,
  IAM.DeleteServiceLinkedRoleResponse
> = {
  resources: (context, { RoleName }) => [entityArn(context, 'iamRole', RoleName)],
  run: (context, { RoleName }) => {
    const { path, roleName } = context.store.update((tx) => {
      const row = resolveEntity({ ...context, store: tx }, 'iamRole', RoleName)
      if (!row.path.startsWith('/aws-service-role/'))
        throw noSuchEntity(`The role with name ${RoleName} cannot be found.`)
      tx.delete('iamRole', iamKey(row.accountId, row.roleName))
      return row
    })
    return { DeletionTaskId: `task${path}${roleName}/${context.ids.uuid()}` }
  },
}

/** A role is gone at once, so every task that may be asked for has succeeded. */
export const getServiceLinkedRoleDeletionStatus: Operation<
  IAM.GetServiceLinkedRoleDeletionStatusRequest,
  IAM.GetServiceLinkedRoleDeletionStatusResponse
> = {
  resources: (context, { DeletionTaskId }) => [
    entityArn(context, 'iamRole', DeletionTaskId?.split('/').at(-2)),
  ],
  run: (_, { DeletionTaskId = '' }) => {
    if (!/^task\/aws-service-role\/[^/]+\/[^/]+\/[\w-]+$/.test(DeletionTaskId))
      throw noSuchEntity(`The deletion task with id ${DeletionTaskId} cannot be found.`)
    return { Status: 'SUCCEEDED' }
  },
}
