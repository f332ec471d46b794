import { identityParameters } from './identity-parameters.ts'
import { logsParameters } from './logs-parameters.ts'
import { notOffered } from './not-offered.ts'
import type { ParameterException } from './parameter-exception.ts'
import { rejected } from './rejected.ts'
import { secretParameters } from './secret-parameters.ts'
import { scheduleParameters } from './schedule-parameters.ts'
import { storedOnly } from './stored-only.ts'

/** Every parameter that Berth does not simply honour. What is not among them is honoured. */
export const parameterExceptions: readonly ParameterException[] = [
  ...storedOnly,
  ...logsParameters,
  ...notOffered,
  ...rejected,
  ...scheduleParameters,
  ...identityParameters,
  ...secretParameters,
]
