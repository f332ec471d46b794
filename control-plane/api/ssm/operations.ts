import type * as Sdk from '@aws-sdk/client-ssm'
import type { OperationTable } from '#api/operation-table.ts'
import { deleteParameter, deleteParameters } from './delete-parameter.ts'
import { describeParameters } from './describe-parameters.ts'
import { getParameter, getParameterHistory, getParameters, getParametersByPath } from './get-parameter.ts'
import { labelParameterVersion, unlabelParameterVersion } from './label.ts'
import { putParameter } from './put-parameter.ts'
import { resumeSession, terminateSession } from './session.ts'
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './tag.ts'

/** The operations of Parameter Store, and those of the sessions of ECS Exec. The rest of Systems Manager is answered as not implemented. */
export const operations = {
  AddTagsToResource: addTagsToResource,
  DeleteParameter: deleteParameter,
  DeleteParameters: deleteParameters,
  DescribeParameters: describeParameters,
  GetParameter: getParameter,
  GetParameterHistory: getParameterHistory,
  GetParameters: getParameters,
  GetParametersByPath: getParametersByPath,
  LabelParameterVersion: labelParameterVersion,
  ListTagsForResource: listTagsForResource,
  PutParameter: putParameter,
  RemoveTagsFromResource: removeTagsFromResource,
  ResumeSession: resumeSession,
  TerminateSession: terminateSession,
  UnlabelParameterVersion: unlabelParameterVersion,
} satisfies Partial<OperationTable<typeof Sdk>>
