import type { GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput } from '@aws-sdk/client-sts'
import type { Answer, Context } from '#api/operation.ts'

/** Who the signature says the caller is. No permission is needed to ask. */
export function getCallerIdentity(
  { caller }: Context,
  _input: GetCallerIdentityCommandInput,
): Answer<GetCallerIdentityCommandOutput> {
  return { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn }
}
