import type * as IAM from '@aws-sdk/client-iam'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { AccessKey } from '#domain/identity.ts'
import { accessKeyId } from '#domain/iam/unique-id.ts'
import type { View } from '#state/store.ts'
import { checkNames, limitExceeded, noSuchEntity, pageOfList, resolveEntity } from './entity.ts'
import { callersName, userOf } from './user.ts'

const keysMax = 2

/** Whose keys a request is of: the root user's too, when it asks for its own. */
function ownerOf(
  context: Context,
  userName: string | undefined,
): { readonly arn: string; readonly userId: string; readonly userName?: string } {
  if (userName === undefined && context.caller.arn.endsWith(':root'))
    return { arn: context.caller.arn, userId: context.caller.userId }
  return resolveEntity(context, 'iamUser', userName ?? callersName(context))
}

export const createAccessKey: Operation<IAM.CreateAccessKeyRequest, IAM.CreateAccessKeyResponse> = {
  resources: userOf,
  run: (context, { UserName }) => {
    const owner = ownerOf(context, UserName)
    const { store, ids, clock, scope } = context
    const key: AccessKey = {
      accessKeyId: accessKeyId('AKIA', scope.accountId, ids.hex(12)),
      secretAccessKey: Buffer.from(ids.hex(60), 'hex').toString('base64'),
      accountId: scope.accountId,
      principalArn: owner.arn,
      userId: owner.userId,
      ...(owner.userName !== undefined && { userName: owner.userName }),
      status: 'Active',
      createdAt: clock.now(),
    }
    store.update((tx) => {
      if (tx.count('accessKey', 'principal', owner.arn) >= keysMax)
        throw limitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${keysMax}`)
      tx.put('accessKey', key)
    })
    return { AccessKey: { ...showKey(key), SecretAccessKey: key.secretAccessKey } as IAM.AccessKey }
  },
}

export const listAccessKeys: Operation<IAM.ListAccessKeysRequest, IAM.ListAccessKeysResponse> = {
  resources: userOf,
  run: (context, input) => {
    const { arn } = ownerOf(context, input.UserName)
    const keys = context.store.by('accessKey', 'principal', arn)
    const parameters = { operation: 'ListAccessKeys', arn }
    const { rows, more } = pageOfList(context, keys, input, parameters, (key) => key.accessKeyId)
    return { AccessKeyMetadata: rows.map(showKey), ...more }
  },
}

export const updateAccessKey: Operation<IAM.UpdateAccessKeyRequest, object> = {
  resources: userOf,
  run: (context, { UserName, AccessKeyId, Status }) => {
    if (Status !== 'Active' && Status !== 'Inactive')
      throw new AwsError(
        'ValidationError',
        `1 validation error detected: Value '${Status}' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`,
      )
    const { arn } = ownerOf(context, UserName)
    context.store.update((tx) => tx.put('accessKey', { ...resolveKey(tx, arn, AccessKeyId), status: Status }))
    return {}
  },
}

export const deleteAccessKey: Operation<IAM.DeleteAccessKeyRequest, object> = {
  resources: userOf,
  run: (context, { UserName, AccessKeyId }) => {
    const { arn } = ownerOf(context, UserName)
    context.store.update((tx) => tx.delete('accessKey', resolveKey(tx, arn, AccessKeyId).accessKeyId))
    return {}
  },
}

export const getAccessKeyLastUsed: Operation<
  IAM.GetAccessKeyLastUsedRequest,
  IAM.GetAccessKeyLastUsedResponse
> = {
  resources: ({ store, scope }, { AccessKeyId }) => [
    store.find('accessKey', AccessKeyId ?? '')?.principalArn ?? `arn:aws:iam::${scope.accountId}:user/*`,
  ],
  // Nobody notes when a key signs: AWS writes N/A of keys of which it knows no use.
  run: ({ store, scope }, { AccessKeyId = '' }) => {
    checkNames({ accessKeyId: [AccessKeyId, 128] })
    const key = store.find('accessKey', AccessKeyId)
    if (!key || key.accountId !== scope.accountId) throw noSuchKey(AccessKeyId)
    return {
      ...(key.userName !== undefined && { UserName: key.userName }),
      AccessKeyLastUsed: { LastUsedDate: undefined, Region: 'N/A', ServiceName: 'N/A' },
    }
  },
}

const noSuchKey = (id: string | undefined): AwsError =>
  noSuchEntity(`The Access Key with id ${id} cannot be found.`)

function resolveKey(view: Pick<View, 'find'>, ownerArn: string, id: string | undefined): AccessKey {
  const key = view.find('accessKey', id ?? '')
  if (!key || key.principalArn !== ownerArn) throw noSuchKey(id)
  return key
}

function showKey(key: AccessKey): IAM.AccessKeyMetadata {
  return {
    ...(key.userName !== undefined && { UserName: key.userName }),
    AccessKeyId: key.accessKeyId,
    Status: key.status ?? 'Active',
    ...(key.createdAt !== undefined && { CreateDate: new Date(key.createdAt) }),
  }
}
