import { scopeKey } from '#domain/arn.ts'
import type { LogGroup, LogResourcePolicy } from '#domain/logs/log-group.ts'
import { define } from './table.ts'

/** The rows of CloudWatch Logs; streams and events are in the log store. */
export const logTables = {
  logGroup: define<LogGroup>()({
    key: (row) => row.logGroupArn,
    indexes: { scope: scopeKey, storeId: (row) => row.storeId },
  }),
  logResourcePolicy: define<LogResourcePolicy>()({
    key: (row) => `${scopeKey(row)}/${row.policyName}`,
    indexes: { scope: scopeKey },
  }),
}
