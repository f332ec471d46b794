/** What of a secret is shown: never its value. */
import type { DescribeSecretResponse } from '@aws-sdk/client-secrets-manager'
import { showTags } from '#api/schedule-tags.ts'
import type { Secret } from '#domain/secret.ts'
import type { View } from '#state/store.ts'

export function showSecret(
  view: View,
  secret: Secret,
): Omit<DescribeSecretResponse, 'VersionIdsToStages' | 'ReplicationStatus'> {
  const { secretArn, name, description, kmsKeyId, createdAt, changedAt, accessedAt, deletedAt } = secret
  const tags = showTags(view, secretArn)
  return {
    ARN: secretArn,
    Name: name,
    ...(description !== undefined && { Description: description }),
    ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
    LastChangedDate: new Date(changedAt),
    ...(accessedAt !== undefined && { LastAccessedDate: new Date(accessedAt) }),
    ...(deletedAt !== undefined && { DeletedDate: new Date(deletedAt) }),
    ...(tags.length > 0 && { Tags: tags }),
    CreatedDate: new Date(createdAt),
  }
}

/** The labels of each version that has any. */
export function stagesByVersion(view: View, { secretArn }: Secret): Record<string, string[]> {
  return Object.fromEntries(
    view
      .by('secretVersion', 'secret', secretArn)
      .flatMap(({ versionId, stages }) => (stages.length > 0 ? [[versionId, [...stages]]] : [])),
  ) as Record<string, string[]>
}
