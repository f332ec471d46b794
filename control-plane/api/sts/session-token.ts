import type * as STS from '@aws-sdk/client-sts'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { accountOfAccessKey } from '#domain/iam/unique-id.ts'
import { issueSession } from '#state/session-credentials.ts'
import { check, showCredentials } from './assume-role.ts'

const rootSecondsMax = 3600

/** A session of the user or root who asks. No permission is needed to ask; nobody has a second factor here. */
export const getSessionToken: Operation<STS.GetSessionTokenRequest, STS.GetSessionTokenResponse> = {
  resources: () => ['*'],
  run: ({ store, ids, clock, caller }, { DurationSeconds = 43_200, SerialNumber, TokenCode }) => {
    check((constraint) => constraint.number('durationSeconds', DurationSeconds, 900, 129_600))
    if (SerialNumber !== undefined || TokenCode !== undefined)
      throw new AwsError(
        'AccessDenied',
        'MultiFactorAuthentication failed, unable to validate MFA code. Please verify your MFA serial number is valid and associated with this user.',
        403,
      )
    if (caller.session !== undefined || caller.arn.includes(':assumed-role/'))
      throw new AwsError('AccessDenied', 'Cannot call GetSessionToken with session credentials', 403)
    const seconds = caller.arn.endsWith(':root') ? Math.min(DurationSeconds, rootSecondsMax) : DurationSeconds
    const session = issueSession(store, ids, clock, {
      accountId: caller.accountId,
      principalArn: caller.arn,
      userId: caller.userId,
      durationMs: seconds * 1000,
    })
    return { Credentials: showCredentials(session) }
  },
}

/** The account is in the key's id; keys made elsewhere or by older versions are looked up. */
export const getAccessKeyInfo: Operation<STS.GetAccessKeyInfoRequest, STS.GetAccessKeyInfoResponse> = {
  resources: () => ['*'],
  run: ({ store }, { AccessKeyId = '' }) => {
    check((constraint) =>
      constraint.text('accessKeyId', AccessKeyId, { min: 16, max: 128, pattern: /^\w*$/ }),
    )
    const account = store.find('accessKey', AccessKeyId)?.accountId ?? accountOfAccessKey(AccessKeyId)
    if (account === undefined) throw new AwsError('ValidationError', `Invalid Access Key ID: ${AccessKeyId}`)
    return { Account: account }
  },
}
