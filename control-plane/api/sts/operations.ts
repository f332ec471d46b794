import type * as STS from '@aws-sdk/client-sts'
import { notImplemented } from '#api/operation.ts'
import { assumeRole } from './assume-role.ts'
import { getCallerIdentity } from './identity.ts'
import { getAccessKeyInfo, getSessionToken } from './session-token.ts'
import type { OperationTable } from '#api/operation-table.ts'

/** Every operation of the Security Token Service. */
export const operations: OperationTable<typeof STS> = {
  AssumeRole: assumeRole,
  AssumeRoleWithSAML: notImplemented,
  AssumeRoleWithWebIdentity: notImplemented,
  AssumeRoot: notImplemented,
  DecodeAuthorizationMessage: notImplemented,
  GetAccessKeyInfo: getAccessKeyInfo,
  GetCallerIdentity: { resources: () => ['*'], run: getCallerIdentity },
  GetDelegatedAccessToken: notImplemented,
  GetFederationToken: notImplemented,
  GetSessionToken: getSessionToken,
  GetWebIdentityToken: notImplemented,
}
