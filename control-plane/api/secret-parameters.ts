/** What of the parameters of Secrets Manager and Parameter Store is not simply honoured, for docs/compatibility.md. */
import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const secretsmanager = exceptionsOf('secretsmanager')
const ssm = exceptionsOf('ssm')
const noKms = "there is no KMS; values are sealed with the installation's root key"

export const secretParameters: readonly ParameterException[] = [
  secretsmanager('CreateSecret', 'AddReplicaRegions', 'no replica secrets', 'rejected'),
  secretsmanager('CreateSecret', 'ForceOverwriteReplicaSecret', 'no replica secrets', 'ignored'),
  ...['CreateSecret', 'UpdateSecret'].flatMap((operation) => [
    secretsmanager(operation, 'KmsKeyId', noKms),
    secretsmanager(operation, 'Type', 'no secrets that a partner manages', 'rejected'),
  ]),
  secretsmanager('PutSecretValue', 'RotationToken', 'nothing rotates secrets', 'ignored'),
  secretsmanager(
    'PutResourcePolicy',
    'ResourcePolicy',
    'that there is one lets other accounts in; whom it names is read where IAM is enforced',
    'partly',
  ),
  ssm('DescribeParameters', 'Shared', 'parameters are not shared between accounts', 'rejected'),
  ssm('PutParameter', 'AllowedPattern', 'a regular expression of JavaScript, not of Java', 'partly'),
  ssm(
    'PutParameter',
    'DataType',
    '`text`, `aws:ec2:image` and `aws:ssm:integration`; images are not looked up',
    'partly',
  ),
  ssm('PutParameter', 'KeyId', noKms),
  ssm('PutParameter', 'Policies', 'Expiration is carried out; nobody is notified', 'partly'),
]
