import {
  iamKey,
  type IamGroup,
  type IamPolicy,
  type IamRole,
  type IamUser,
  type InstanceProfile,
} from '#domain/iam/entities.ts'
import type { JoinToken } from '#domain/identity.ts'
import { define } from './table.ts'

/** The tables of IAM, and of the tokens that let machines in. */
export const iamTables = {
  iamGroup: define<IamGroup>()({
    key: (row) => iamKey(row.accountId, row.groupName),
    indexes: { account: (row) => row.accountId, attachedPolicy: (row) => row.attachedPolicyArns },
  }),
  iamPolicy: define<IamPolicy>()({
    key: (row) => iamKey(row.accountId, row.policyName),
    indexes: { account: (row) => row.accountId },
  }),
  iamRole: define<IamRole>()({
    key: (row) => iamKey(row.accountId, row.roleName),
    indexes: {
      account: (row) => row.accountId,
      attachedPolicy: (row) => row.attachedPolicyArns,
      boundary: (row) => row.permissionsBoundary,
    },
  }),
  iamUser: define<IamUser>()({
    key: (row) => iamKey(row.accountId, row.userName),
    indexes: {
      account: (row) => row.accountId,
      attachedPolicy: (row) => row.attachedPolicyArns,
      boundary: (row) => row.permissionsBoundary,
      group: (row) => row.groupNames.map((name) => iamKey(row.accountId, name)),
    },
  }),
  instanceProfile: define<InstanceProfile>()({
    key: (row) => iamKey(row.accountId, row.instanceProfileName),
    indexes: {
      account: (row) => row.accountId,
      role: (row) => (row.roleName === undefined ? undefined : iamKey(row.accountId, row.roleName)),
    },
  }),
  joinToken: define<JoinToken>()({
    key: (row) => row.tokenId,
    indexes: { account: (row) => row.accountId },
  }),
}
