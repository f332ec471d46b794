import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { BucketStore } from '@berth/object-store/bucket-store.ts'
import { s3Endpoint } from '@berth/object-store/s3-endpoint.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { Store } from '#state/store.ts'
import { type AccessMode, authenticate } from './authenticate.ts'
import type { Authorize } from './authorize.ts'

export interface ObjectsOptions {
  /** Of the installation: buckets are kept in its folder `objects`. */
  readonly directory: string
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly mode: AccessMode
  /** Everybody may do everything when it is not given. */
  readonly authorize?: Authorize
  readonly onError: (error: unknown) => void
}

/** Answers what is signed for S3, from the installation's own buckets. */
export function s3Objects(
  options: ObjectsOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { directory, store, clock, ids, mode, authorize, onError } = options
  return s3Endpoint({
    store: new BucketStore(join(directory, 'objects'), clock, ids),
    requestId: () => ids.hex(16).toUpperCase(),
    onError,
    identify: ({ method = 'GET', url = '/', headers }, body) => {
      const [path = '/', rawQuery = ''] = url.split(/\?(.*)/s)
      const { caller, credential } = authenticate(
        { method, path, rawQuery, headers, body },
        store,
        mode,
        clock.now(),
      )
      return {
        accountId: caller.accountId,
        region: credential.region,
        authorize: (action, resource) =>
          refusedAsS3(() =>
            // S3 has no model here; of a service, the check takes only the shape of the refusal, which is S3's own.
            authorize?.({ caller, service: 'sts', region: credential.region, action, resources: [resource] }),
          ),
      }
    },
  })
}

function refusedAsS3(check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error instanceof AwsError) throw new AwsError('AccessDenied', error.message, 403)
    throw error
  }
}
