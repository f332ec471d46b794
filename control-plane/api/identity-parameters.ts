import { exceptionsOf, type ParameterException } from './parameter-exception.ts'

const sts = exceptionsOf('sts', 'ignored')
const iam = exceptionsOf('iam', 'ignored')

const noFactor = 'nobody has a second factor here'
const identityOnly = 'only policies of identities are simulated'

/** Parameters of IAM and STS that Berth does not honour. */
export const identityParameters: readonly ParameterException[] = [
  sts('AssumeRole', 'SerialNumber', noFactor),
  sts('AssumeRole', 'TokenCode', noFactor),
  sts('AssumeRole', 'ProvidedContexts', 'there is no identity center that would assert them'),
  ...['AssumeRole', 'GetSessionToken'].map((operation) =>
    sts(operation, 'MinimumSessionTokenSize', 'a token is as long as what it says'),
  ),
  iam('SimulateCustomPolicy', 'OrderedOrganizationPolicyInputList', 'there are no organizations'),
  iam('SimulatePrincipalPolicy', 'PolicyExclusionList', 'all of the policies are simulated'),
  ...(['SimulatePrincipalPolicy', 'SimulateCustomPolicy'] as const).flatMap((operation) =>
    ['ResourcePolicy', 'ResourceOwner', 'CallerArn', 'ResourceHandlingOption'].map((parameter) =>
      iam(operation, parameter, identityOnly),
    ),
  ),
]
