import type * as IAM from '@aws-sdk/client-iam'
import type { Operation } from '#api/operation.ts'
import { pageOfList } from './entity.ts'

export const getAccountSummary: Operation<object, IAM.GetAccountSummaryResponse> = {
  resources: () => ['*'],
  run: ({ store, scope: { accountId } }) => ({
    SummaryMap: {
      Users: store.count('iamUser', 'account', accountId),
      UsersQuota: 5000,
      Groups: store.count('iamGroup', 'account', accountId),
      GroupsQuota: 300,
      Roles: store.count('iamRole', 'account', accountId),
      RolesQuota: 1000,
      Policies: store.count('iamPolicy', 'account', accountId),
      PoliciesQuota: 1500,
      InstanceProfiles: store.count('instanceProfile', 'account', accountId),
      InstanceProfilesQuota: 1000,
      AccessKeysPerUserQuota: 2,
      AttachedPoliciesPerGroupQuota: 10,
      AttachedPoliciesPerRoleQuota: 10,
      AttachedPoliciesPerUserQuota: 10,
      GroupsPerUserQuota: 10,
      VersionsPerPolicyQuota: 5,
      PolicySizeQuota: 6144,
      AssumeRolePolicySizeQuota: 2048,
      RolePolicySizeQuota: 10_240,
      UserPolicySizeQuota: 2048,
      GroupPolicySizeQuota: 5120,
      MFADevices: 0,
      AccountMFAEnabled: 0,
    },
  }),
}

/** Accounts have no aliases here. */
export const listAccountAliases: Operation<IAM.ListAccountAliasesRequest, IAM.ListAccountAliasesResponse> = {
  resources: () => ['*'],
  run: (context, input) => {
    const none: string[] = []
    const { more } = pageOfList(context, none, input, { operation: 'ListAccountAliases' }, (alias) => alias)
    return { AccountAliases: none, ...more }
  },
}
