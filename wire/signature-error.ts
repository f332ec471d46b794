import { AwsError } from './error.ts'
import type { ProtocolName } from './model.ts'
import type { SignatureError, SignatureProblem } from './sigv4.ts'

type Row = readonly [code: string, httpStatus: number, message?: string]

const ec2Refusal = [
  'AuthFailure',
  401,
  'AWS was not able to validate the provided access credentials',
] as const

/** What each protocol's services answer. Where no message stands, the problem's own is AWS's. */
const rows: Readonly<Record<ProtocolName, Readonly<Record<SignatureProblem, Row>>>> = {
  json: {
    missing: ['MissingAuthenticationTokenException', 403],
    incomplete: ['IncompleteSignatureException', 403],
    unknownKey: ['UnrecognizedClientException', 400],
    mismatch: ['InvalidSignatureException', 403],
    expired: ['InvalidSignatureException', 403],
    tokenInvalid: ['UnrecognizedClientException', 400],
    tokenExpired: ['ExpiredTokenException', 400],
  },
  restJson: {
    missing: ['MissingAuthenticationTokenException', 403],
    incomplete: ['IncompleteSignatureException', 403],
    unknownKey: ['UnrecognizedClientException', 403],
    mismatch: ['InvalidSignatureException', 403],
    expired: ['InvalidSignatureException', 403],
    tokenInvalid: ['UnrecognizedClientException', 403],
    tokenExpired: ['ExpiredTokenException', 403],
  },
  ec2: {
    missing: ['MissingParameter', 400, 'The request must contain the parameter AWSAccessKeyId'],
    incomplete: ['IncompleteSignature', 403],
    unknownKey: ec2Refusal,
    mismatch: ec2Refusal,
    expired: ['RequestExpired', 400, 'Request has expired.'],
    tokenInvalid: ec2Refusal,
    tokenExpired: ['RequestExpired', 400, 'Request has expired.'],
  },
  query: {
    missing: ['MissingAuthenticationToken', 403, 'Request is missing Authentication Token'],
    incomplete: ['IncompleteSignature', 403],
    unknownKey: ['InvalidClientTokenId', 403],
    mismatch: ['SignatureDoesNotMatch', 403],
    expired: ['SignatureDoesNotMatch', 403],
    tokenInvalid: ['InvalidClientTokenId', 403],
    tokenExpired: ['ExpiredToken', 403],
  },
}

/** A signature's problem as a service of the protocol would answer it. */
export function signatureAwsError(protocol: ProtocolName, error: SignatureError): AwsError {
  const [code, httpStatus, message = error.message] = rows[protocol][error.problem]
  return new AwsError(code, message, httpStatus)
}
