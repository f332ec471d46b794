/** What of the parameters of CloudWatch Logs is not simply honoured, for docs/compatibility.md. */
import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const logs = exceptionsOf('logs')

export const logsParameters: readonly ParameterException[] = [
  logs('CreateLogGroup', 'kmsKeyId', 'nothing is encrypted with a key of yours', 'rejected'),
  logs('CreateLogGroup', 'logGroupClass', 'STANDARD and INFREQUENT_ACCESS', 'partly'),
  ...['DescribeLogGroups', 'ListLogGroups'].flatMap((operation) => [
    logs(operation, 'accountIdentifiers', 'no monitoring accounts', 'ignored'),
    logs(operation, 'includeLinkedAccounts', 'no monitoring accounts', 'ignored'),
  ]),
  ...['dataSources', 'fieldIndexNames', 'logGroupTags'].map((parameter) =>
    logs('ListLogGroups', parameter, 'groups are found by name and class', 'ignored'),
  ),
  ...['GetLogEvents', 'FilterLogEvents'].map((operation) =>
    logs(operation, 'unmask', 'nothing is masked', 'ignored'),
  ),
  logs('FilterLogEvents', 'interleaved', 'always so, as at AWS', 'ignored'),
  logs('PutLogEvents', 'sequenceToken', 'as at AWS', 'ignored'),
  logs('PutLogEvents', 'entity', 'there are no entities', 'ignored'),
  logs('PutResourcePolicy', 'policyDocument', 'no service of AWS writes logs here'),
  logs('PutResourcePolicy', 'resourceArn', 'policies of accounts only', 'rejected'),
  ...['PutResourcePolicy', 'DeleteResourcePolicy'].map((operation) =>
    logs(operation, 'expectedRevisionId', 'policies of accounts have none', 'ignored'),
  ),
  logs('DeleteResourcePolicy', 'resourceArn', 'policies of accounts only', 'ignored'),
]
