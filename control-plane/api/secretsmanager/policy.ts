/** Resource policies: kept with their secret, and read where IAM is enforced. */
import type {
  DeleteResourcePolicyRequest,
  DeleteResourcePolicyResponse,
  GetResourcePolicyRequest,
  GetResourcePolicyResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
  ValidateResourcePolicyRequest,
  ValidateResourcePolicyResponse,
  ValidationErrorsEntry,
} from '@aws-sdk/client-secrets-manager'
import { AwsError } from '@berth/wire/error.ts'
import { constraints } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { resolveSecret, touched } from './resolve.ts'

const policyLengthMax = 20_480

interface Statement {
  readonly Effect?: unknown
  readonly Principal?: unknown
  readonly Action?: unknown
  readonly NotAction?: unknown
  readonly Resource?: unknown
  readonly Condition?: unknown
}

/** The statements of a policy. Throws MalformedPolicyDocumentException; no source gives AWS's texts but the first. */
function statementsOf(policy: string): readonly Statement[] {
  const malformed = (message: string): never => {
    throw new AwsError('MalformedPolicyDocumentException', message)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(policy)
  } catch {
    return malformed('This resource policy contains invalid Json.')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return malformed('This resource policy contains invalid Json.')
  const { Statement: given } = parsed as { readonly Statement?: unknown }
  const statements = [given].flat().filter((each) => typeof each === 'object' && each !== null) as Statement[]
  if (statements.length === 0) return malformed('This resource policy contains no statement.')
  for (const { Effect, Principal, Action, NotAction } of statements) {
    if (Effect !== 'Allow' && Effect !== 'Deny')
      return malformed('This resource policy contains a statement without the Effect Allow or Deny.')
    if (Principal === undefined)
      return malformed('This resource policy contains a statement without a principal.')
    if (Action === undefined && NotAction === undefined)
      return malformed('This resource policy contains a statement without an action.')
  }
  return statements
}

/** Whether it lets in everybody: a principal of `*` under no condition. */
function isPublic(statements: readonly Statement[]): boolean {
  return statements.some(({ Effect, Principal, Condition }) => {
    const named =
      typeof Principal === 'object' && Principal !== null ? Object.values(Principal).flat() : [Principal]
    return Effect === 'Allow' && named.includes('*') && Condition === undefined
  })
}

function checkLength(policy: string): void {
  const check = constraints()
  check.text('resourcePolicy', policy, { max: policyLengthMax })
  check.check()
}

export const putResourcePolicy: Operation<PutResourcePolicyRequest, PutResourcePolicyResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId, ResourcePolicy: policy = '', BlockPublicPolicy = false }) => {
    checkLength(policy)
    const statements = statementsOf(policy)
    if (BlockPublicPolicy && isPublic(statements))
      throw new AwsError(
        'PublicPolicyException',
        'You set BlockPublicPolicy to true, and the resource policy grants broad access to the secret.',
      )
    return context.store.update((tx) => {
      const secret = resolveSecret(tx, context, SecretId)
      tx.put('secret', { ...secret, resourcePolicy: policy })
      return { ARN: secret.secretArn, Name: secret.name }
    })
  },
}

export const getResourcePolicy: Operation<GetResourcePolicyRequest, GetResourcePolicyResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId }) => {
    const { secretArn, name, resourcePolicy } = resolveSecret(context.store, context, SecretId)
    return {
      ARN: secretArn,
      Name: name,
      ...(resourcePolicy !== undefined && { ResourcePolicy: resourcePolicy }),
    }
  },
}

export const deleteResourcePolicy: Operation<DeleteResourcePolicyRequest, DeleteResourcePolicyResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId }) =>
    context.store.update((tx) => {
      const { resourcePolicy: _gone, ...secret } = resolveSecret(tx, context, SecretId)
      tx.put('secret', secret)
      return { ARN: secret.secretArn, Name: secret.name }
    }),
}

export const validateResourcePolicy: Operation<
  ValidateResourcePolicyRequest,
  ValidateResourcePolicyResponse
> = {
  resources: (context, { SecretId }) => (SecretId === undefined ? ['*'] : touched(context, SecretId)),
  run: (context, { SecretId, ResourcePolicy: policy = '' }) => {
    checkLength(policy)
    if (SecretId !== undefined) resolveSecret(context.store, context, SecretId)
    const errors: ValidationErrorsEntry[] = isPublic(statementsOf(policy))
      ? [
          {
            CheckName: 'Public Access',
            ErrorMessage: 'The resource policy grants broad access to the secret.',
          },
        ]
      : []
    return { PolicyValidationPassed: errors.length === 0, ValidationErrors: errors }
  },
}
