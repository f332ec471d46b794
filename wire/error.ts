/**
 * An error for the caller, as AWS would answer it. Anything else thrown is our bug and answers 500.
 * `code` is the name in the service's model (`ClusterNotFoundException`); `fields` are its further members
 * (`resourceIds` of a ConflictException).
 */
export class AwsError extends Error {
  readonly code: string
  readonly httpStatus: number
  readonly fields: Readonly<Record<string, unknown>>
  constructor(
    code: string,
    message: string,
    httpStatus = 400,
    fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.name = code
    this.code = code
    this.httpStatus = httpStatus
    this.fields = fields
  }
}
