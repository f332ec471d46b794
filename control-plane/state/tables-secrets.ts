import { scopeKey } from '#domain/arn.ts'
import { type Parameter, parameterVersionKey, type ParameterVersion, parentPath } from '#domain/parameter.ts'
import { type Secret, type SecretVersion, versionKey } from '#domain/secret.ts'
import { define, hourOf } from './table.ts'

/** The tables of Secrets Manager and of SSM's Parameter Store. */
export const secretTables = {
  parameter: define<Parameter>()({
    key: (row) => row.parameterArn,
    indexes: {
      scope: scopeKey,
      /** By the path they lie under directly. */
      parent: (row) => `${scopeKey(row)} ${parentPath(row)}`,
      /** To count them: each tier has a limit of its own. */
      tier: (row) => `${scopeKey(row)} ${row.tier}`,
      /** Those with an Expiration policy by the hour in which it ends them, for the reaper. */
      expiryHour: (row) => (row.expiresAt === undefined ? undefined : hourOf(row.expiresAt)),
    },
  }),
  parameterVersion: define<ParameterVersion>()({
    key: parameterVersionKey,
    indexes: { parameter: (row) => row.parameterArn },
  }),
  secret: define<Secret>()({
    key: (row) => row.secretArn,
    indexes: {
      scope: scopeKey,
      name: (row) => `${scopeKey(row)} ${row.name}`,
      /** Deleted ones by the hour in which they are to be forgotten, for the reaper. */
      deletionHour: (row) => (row.deleteAfter === undefined ? undefined : hourOf(row.deleteAfter)),
    },
  }),
  secretVersion: define<SecretVersion>()({
    key: versionKey,
    indexes: { secret: (row) => row.secretArn },
  }),
}
