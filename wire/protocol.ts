import { assert } from '@berth/std/assert.ts'
import { AwsError } from './error.ts'
import { eventStreamOf } from './event-stream.ts'
import { decodeJson, encodeJson } from './json.ts'
import type { ErrorModel, OperationModel, ProtocolName, ServiceDescription } from './model.ts'
import { decodeQuery } from './query.ts'
import { decodeRest, encodeRest, type RestRequest } from './rest.ts'
import { missingMembers } from './shape.ts'
import { encodeXmlMembers, escapeXml } from './xml.ts'

/** What goes back over HTTP. */
export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** What comes in place of the body, as long as there is something to come. */
  readonly frames?: AsyncIterable<Uint8Array>
}

/** What of a request an input is read from: JSON has it in its body, forms in `form`, REST everywhere. */
export type WireRequest = RestRequest

/** The errors of a model by their names, as far as they are known. */
type Errors = ReadonlyMap<string, ErrorModel>

/** How one of AWS's protocols reads inputs and writes outputs and errors. */
interface Protocol {
  decode(operation: OperationModel, request: WireRequest): object
  missing(service: string, paths: readonly string[]): AwsError
  unknownOperation(name: string, description: ServiceDescription): AwsError
  internalError: AwsError
  encode(
    operation: OperationModel,
    output: object,
    description: ServiceDescription,
    requestId: string,
  ): WireResponse
  /** REST services tell errors as their models say: those are given as `errors`. */
  encodeError(
    error: AwsError,
    description: ServiceDescription | undefined,
    requestId: string,
    errors?: Errors,
  ): WireResponse
}

const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n'
const xmlResponse = (status: number, body: string, requestId: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
  body: xmlHead + body,
})
const xmlns = (description: ServiceDescription | undefined): string =>
  description?.xmlNamespace === undefined ? '' : ` xmlns="${description.xmlNamespace}"`

function nullConstraints(paths: readonly string[]): string {
  const errors = paths.map(
    (path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  )
  return `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected: ${errors.join('; ')}`
}

/** Services whose members begin with a capital call them by small letters here. */
function validationError(code: string, paths: readonly string[]): AwsError {
  const small = paths.map((path) => path.replaceAll(/(?<=^|\.)[A-Z]/g, (letter) => letter.toLowerCase()))
  return new AwsError(code, nullConstraints(small))
}

const json: Protocol = {
  decode: (operation, { body }) => decodeJson(operation.input, body),
  missing: (service, paths) => {
    if (['events', 'secretsmanager', 'ssm'].includes(service))
      return validationError('ValidationException', paths)
    return new AwsError(
      'InvalidParameterException',
      service === 'ecr'
        ? `Invalid parameter at '${paths[0]}' failed to satisfy constraint: 'must not be null'`
        : nullConstraints(paths),
    )
  },
  unknownOperation: (name) => new AwsError('UnknownOperationException', `Unknown operation ${name}`),
  internalError: new AwsError('ServerException', 'Service Unavailable. Please try again later.', 500),
  encode: (operation, output, _description, requestId) => {
    const stream = eventStreamOf(operation, output)
    return {
      status: 200,
      headers: {
        'content-type': stream?.contentType ?? 'application/x-amz-json-1.1',
        'x-amzn-requestid': requestId,
      },
      ...(stream ? { body: '', frames: stream.frames } : { body: encodeJson(operation.output, output) }),
    }
  },
  encodeError: (error, _description, requestId) => ({
    status: error.httpStatus,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.code,
    },
    body: JSON.stringify({ ...error.fields, __type: error.code, message: error.message }),
  }),
}

const restJson: Protocol = {
  decode: (operation, request) => {
    assert(operation.http !== undefined, `${operation.name} has no path`)
    return decodeRest(operation.input, operation.http, request)
  },
  missing: (_service, paths) => validationError('ValidationException', paths),
  unknownOperation: () =>
    new AwsError('UnknownOperationException', 'There is no operation with this method and path.', 404),
  internalError: new AwsError(
    'InternalServerException',
    'Unexpected error encountered while processing the request.',
    500,
  ),
  encode: (operation, output, _description, requestId) => {
    assert(operation.http !== undefined, `${operation.name} has no path`)
    const { status, headers, body } = encodeRest(operation.output, operation.http, output)
    return {
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, ...headers },
      body,
    }
  },
  encodeError: (error, _description, requestId, errors) => {
    const { httpStatus = error.httpStatus, messageMember = 'message' } = errors?.get(error.code) ?? {}
    return {
      status: httpStatus,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.code,
      },
      body: JSON.stringify({ ...error.fields, [messageMember]: error.message }),
    }
  },
}

const ec2: Protocol = {
  decode: (operation, { form }) => decodeQuery(operation.input, form, 'ec2'),
  missing: (_service, [path]) =>
    new AwsError('MissingParameter', `The request must contain the parameter ${path}`),
  unknownOperation: (name) =>
    new AwsError('InvalidAction', `The action ${name} is not valid for this web service.`),
  internalError: new AwsError('InternalError', 'An internal error has occurred', 500),
  encode: (operation, output, description, requestId) => {
    // Where the model has no output, EC2 says that it did it.
    const members = operation.outputSchema.isStructSchema()
      ? encodeXmlMembers(operation.outputSchema, output)
      : '<return>true</return>'
    const name = `${operation.name}Response`
    const body = `<${name}${xmlns(description)}><requestId>${requestId}</requestId>${members}</${name}>`
    return xmlResponse(200, body, requestId)
  },
  encodeError: (error, _description, requestId) =>
    xmlResponse(
      error.httpStatus,
      `<Response><Errors><Error>${codeAndMessage(error)}</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      requestId,
    ),
}

const query: Protocol = {
  decode: (operation, { form }) => decodeQuery(operation.input, form, 'query'),
  missing: (_service, paths) => validationError('ValidationError', paths),
  unknownOperation: (name, description) =>
    new AwsError(
      'InvalidAction',
      `Could not find operation ${name} for version ${description.version ?? ''}`,
    ),
  internalError: new AwsError('InternalFailure', 'An internal error has occurred', 500),
  encode: (operation, output, description, requestId) => {
    const members = encodeXmlMembers(operation.outputSchema, output)
    const result = operation.outputSchema.isStructSchema()
      ? `<${operation.name}Result>${members}</${operation.name}Result>`
      : ''
    const name = `${operation.name}Response`
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
    return xmlResponse(200, `<${name}${xmlns(description)}>${result}${metadata}</${name}>`, requestId)
  },
  encodeError: (error, description, requestId) => {
    const fault = error.httpStatus < 500 ? 'Sender' : 'Receiver'
    const body = `<Error><Type>${fault}</Type>${codeAndMessage(error)}</Error><RequestId>${requestId}</RequestId>`
    return xmlResponse(
      error.httpStatus,
      `<ErrorResponse${xmlns(description)}>${body}</ErrorResponse>`,
      requestId,
    )
  },
}

function codeAndMessage(error: AwsError): string {
  return `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>`
}

export const protocols: Readonly<Record<ProtocolName, Protocol>> = { json, restJson, ec2, query }

/**
 * The input of a request, checked against the model: types, unknown members, required members. Values of an enum are
 * not checked, because services refuse them in words of their own. Throws the AwsError that the service would answer.
 */
export function decodeInput(
  service: string,
  protocol: ProtocolName,
  operation: OperationModel,
  request: WireRequest,
): object {
  const input = protocols[protocol].decode(operation, request)
  const missing = missingMembers(operation.input, input)
  if (missing.length > 0) throw protocols[protocol].missing(service, missing)
  return input
}
