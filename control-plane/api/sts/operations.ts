import type * as STS from '@aws-sdk/client-sts'
import { notImplemented } from '#api/operation.ts'
import { getCallerIdentity } from './identity.ts'
import type { OperationTable } from '#api/operation-table.ts'

/** Every operation of the Security Token Service. */
export const operations: OperationTable<typeof STS> = {
  AssumeRole: notImplemented,
  AssumeRoleWithSAML: notImplemented,
  AssumeRoleWithWebIdentity: notImplemented,
  AssumeRoot: notImplemented,
  DecodeAuthorizationMessage: notImplemented,
  GetAccessKeyInfo: notImplemented,
  GetCallerIdentity: { resources: () => ['*'], run: getCallerIdentity },
  GetDelegatedAccessToken: notImplemented,
  GetFederationToken: notImplemented,
  GetSessionToken: notImplemented,
  GetWebIdentityToken: notImplemented,
}
