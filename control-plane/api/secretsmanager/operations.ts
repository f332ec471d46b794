import type * as Sdk from '@aws-sdk/client-secrets-manager'
import type { OperationTable } from '#api/operation-table.ts'
import { notImplemented } from '#api/operation.ts'
import { listSecrets, listSecretVersionIds } from './list.ts'
import {
  deleteResourcePolicy,
  getResourcePolicy,
  putResourcePolicy,
  validateResourcePolicy,
} from './policy.ts'
import { getRandomPassword } from './random-password.ts'
import { createSecret, deleteSecret, describeSecret, restoreSecret, updateSecret } from './secret.ts'
import { tagResource, untagResource } from './tag.ts'
import { batchGetSecretValue, getSecretValue, putSecretValue } from './value.ts'
import { updateSecretVersionStage } from './version-stage.ts'

/** Every operation of Secrets Manager. Rotation calls a Lambda function, and replicas need other regions. */
export const operations: OperationTable<typeof Sdk> = {
  BatchGetSecretValue: batchGetSecretValue,
  CancelRotateSecret: notImplemented,
  CreateSecret: createSecret,
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteSecret: deleteSecret,
  DescribeSecret: describeSecret,
  GetRandomPassword: getRandomPassword,
  GetResourcePolicy: getResourcePolicy,
  GetSecretValue: getSecretValue,
  ListSecrets: listSecrets,
  ListSecretVersionIds: listSecretVersionIds,
  PutResourcePolicy: putResourcePolicy,
  PutSecretValue: putSecretValue,
  RemoveRegionsFromReplication: notImplemented,
  ReplicateSecretToRegions: notImplemented,
  RestoreSecret: restoreSecret,
  RotateSecret: notImplemented,
  StopReplicationToReplica: notImplemented,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateSecret: updateSecret,
  UpdateSecretVersionStage: updateSecretVersionStage,
  ValidateResourcePolicy: validateResourcePolicy,
}
