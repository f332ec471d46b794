import type * as IAM from '@aws-sdk/client-iam'
import type { Operation } from '#api/operation.ts'
import { checkNames, deleteConflict, limitExceeded, noSuchEntity, pageOfList } from './entity.ts'
import { changePolicy, checkPolicy, resolvePolicy, showVersion, versionsMax } from './policy.ts'

type NamesPolicy = { readonly PolicyArn: string | undefined }
const policyOf = (_: unknown, { PolicyArn }: NamesPolicy): readonly string[] => [PolicyArn ?? '*']

export const createPolicyVersion: Operation<IAM.CreatePolicyVersionRequest, IAM.CreatePolicyVersionResponse> =
  {
    resources: policyOf,
    run: (context, { PolicyArn, PolicyDocument, SetAsDefault = false }) => {
      const document = checkPolicy(PolicyDocument)
      const now = context.clock.now()
      const row = changePolicy(context, PolicyArn, (policy) => {
        if (policy.versions.length >= versionsMax)
          throw limitExceeded(
            `A managed policy can have up to ${versionsMax} versions. Before you create a new version, you must delete an existing version.`,
          )
        const versionsMade = policy.versionsMade + 1
        const versionId = `v${versionsMade}`
        return {
          ...policy,
          versions: [...policy.versions, { versionId, document, createdAt: now }],
          versionsMade,
          updatedAt: now,
          ...(SetAsDefault && { defaultVersionId: versionId }),
        }
      })
      return { PolicyVersion: showVersion(row, `v${row.versionsMade}`, false) }
    },
  }

export const getPolicyVersion: Operation<IAM.GetPolicyVersionRequest, IAM.GetPolicyVersionResponse> = {
  resources: policyOf,
  run: (context, { PolicyArn, VersionId }) => ({
    PolicyVersion: showVersion(resolvePolicy(context.store, PolicyArn), checkVersionId(VersionId), true),
  }),
}

export const listPolicyVersions: Operation<IAM.ListPolicyVersionsRequest, IAM.ListPolicyVersionsResponse> = {
  resources: policyOf,
  run: (context, input) => {
    const row = resolvePolicy(context.store, input.PolicyArn)
    const versions = 'versions' in row ? row.versions.toReversed() : [row]
    const parameters = { operation: 'ListPolicyVersions', arn: row.arn }
    const { rows, more } = pageOfList(context, versions, input, parameters, ({ versionId }) =>
      // The newest first: ids are numbers behind a v.
      String(1e9 - Number(versionId.slice(1))),
    )
    return { Versions: rows.map(({ versionId }) => showVersion(row, versionId, false)), ...more }
  },
}

export const deletePolicyVersion: Operation<IAM.DeletePolicyVersionRequest, object> = {
  resources: policyOf,
  run: (context, { PolicyArn, VersionId }) => {
    checkVersionId(VersionId)
    changePolicy(context, PolicyArn, (row) => {
      showVersion(row, VersionId, false)
      if (VersionId === row.defaultVersionId)
        throw deleteConflict('Cannot delete the default version of a policy.')
      return { ...row, versions: row.versions.filter(({ versionId }) => versionId !== VersionId) }
    })
    return {}
  },
}

export const setDefaultPolicyVersion: Operation<IAM.SetDefaultPolicyVersionRequest, object> = {
  resources: policyOf,
  run: (context, { PolicyArn, VersionId }) => {
    checkVersionId(VersionId)
    changePolicy(context, PolicyArn, (row) => {
      if (!row.versions.some(({ versionId }) => versionId === VersionId))
        throw noSuchEntity(`Policy ${row.arn} version ${VersionId} does not exist or is not attachable.`)
      return { ...row, defaultVersionId: VersionId ?? '', updatedAt: context.clock.now() }
    })
    return {}
  },
}

function checkVersionId(versionId: string | undefined): string {
  checkNames({}, undefined, (check) =>
    check.text('versionId', versionId, { pattern: /^v[1-9][0-9]*(?:\.[A-Za-z0-9-]*)?$/ }),
  )
  return versionId ?? ''
}
