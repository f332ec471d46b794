import type {
  UpdateSecretVersionStageRequest,
  UpdateSecretVersionStageResponse,
} from '@aws-sdk/client-secrets-manager'
import { constraints } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { moveStages, type SecretVersion } from '#domain/secret.ts'
import { invalidParameter, invalidRequest, notFound, resolveSecret, touched } from './resolve.ts'
import { putVersions } from './value.ts'

const labelsMax = 20

export const updateSecretVersionStage: Operation<
  UpdateSecretVersionStageRequest,
  UpdateSecretVersionStageResponse
> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, input) => {
    const { VersionStage: stage = '', RemoveFromVersionId: from, MoveToVersionId: to } = input
    const check = constraints()
    check.text('versionStage', stage, { max: 256 })
    check.text('removeFromVersionId', from, { min: 32, max: 64 })
    check.text('moveToVersionId', to, { min: 32, max: 64 })
    check.check()
    return context.store.update((tx) => {
      const secret = resolveSecret(tx, context, input.SecretId)
      const versions = tx.by('secretVersion', 'secret', secret.secretArn)
      checkMove(versions, { stage, from, to })
      putVersions(tx, moved(versions, { stage, from, to }))
      tx.put('secret', { ...secret, changedAt: context.clock.now() })
      return { ARN: secret.secretArn, Name: secret.name }
    })
  },
}

interface Move {
  readonly stage: string
  readonly from: string | undefined
  readonly to: string | undefined
}

function checkMove(versions: readonly SecretVersion[], { stage, from, to }: Move): void {
  const find = (versionId: string): SecretVersion | undefined =>
    versions.find((version) => version.versionId === versionId)
  for (const versionId of [from, to])
    if (versionId !== undefined && !find(versionId))
      notFound(`Secrets Manager can't find the specified secret value for VersionId: ${versionId}`)
  if (from === undefined && to === undefined)
    invalidParameter('You must provide RemoveFromVersionId, MoveToVersionId or both.')
  const holder = versions.find(({ stages }) => stages.includes(stage))
  if (from !== undefined && !find(from)?.stages.includes(stage))
    invalidParameter(
      `The staging label ${stage} isn't attached to version ${from}; specify the version that has it in RemoveFromVersionId.`,
    )
  if (from === undefined && holder && holder.versionId !== to)
    invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.versionId}, so you must explicitly reference that version in RemoveFromVersionId.`,
    )
  if (to === undefined && stage === 'AWSCURRENT')
    invalidParameter(
      "You can't remove the staging label AWSCURRENT; move it to another version with MoveToVersionId.",
    )
  if (to !== undefined && !find(to)?.stages.includes(stage) && (find(to)?.stages.length ?? 0) >= labelsMax)
    invalidRequest(`A version can have at most ${labelsMax} staging labels.`)
}

function moved(versions: readonly SecretVersion[], { stage, from, to }: Move): readonly SecretVersion[] {
  if (to !== undefined) return moveStages(versions, [stage], to)
  return versions.map((version) =>
    version.versionId === from
      ? { ...version, stages: version.stages.filter((label) => label !== stage) }
      : version,
  )
}
