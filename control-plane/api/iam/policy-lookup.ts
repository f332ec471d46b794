import type * as IAM from '@aws-sdk/client-iam'
import type { Context } from '#api/operation.ts'
import { iamKey, type IamPolicy } from '#domain/iam/entities.ts'
import { type ManagedPolicy, managedPolicies } from '#domain/iam/managed-policies.ts'
import type { View } from '#state/store.ts'
import { invalidInput, noSuchEntity } from './entity.ts'

/** A policy by its ARN, AWS's own or a customer's. */
export function findPolicy(view: Pick<View, 'find'>, arn: string): ManagedPolicy | IamPolicy | undefined {
  return managedPolicies.get(arn) ?? findCustomerPolicy(view, arn)
}

export function findCustomerPolicy(view: Pick<View, 'find'>, arn: string): IamPolicy | undefined {
  const accountId = arn.split(':')[4] ?? ''
  const row = view.find('iamPolicy', iamKey(accountId, arn.slice(arn.lastIndexOf('/') + 1)))
  return row?.arn === arn ? row : undefined
}

/** Throws InvalidInput when the text is not the ARN of a policy. */
export function checkPolicyArn(arn: string | undefined): string {
  if (!/^arn:aws[\w-]*:iam::(?:\d{12}|aws):policy\/(?:[\u0021-\u007e]+\/)?[\w+=,.@-]+$/.test(arn ?? ''))
    throw invalidInput(`ARN ${arn} is not valid.`)
  return arn ?? ''
}

/** The policy that is to be a boundary. Throws NoSuchEntity. */
export function boundaryArn(context: Context, arn: string | undefined): string | undefined {
  if (arn === undefined) return undefined
  if (!findPolicy(context.store, arn))
    throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`)
  return arn
}

export function showBoundary({ permissionsBoundary }: { readonly permissionsBoundary?: string }): {
  PermissionsBoundary?: IAM.AttachedPermissionsBoundary
} {
  return permissionsBoundary === undefined
    ? {}
    : {
        PermissionsBoundary: {
          PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
          PermissionsBoundaryArn: permissionsBoundary,
        },
      }
}
