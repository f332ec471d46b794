/** An error of the OCI distribution specification; codes: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export class RegistryError extends Error {
  readonly code: string
  readonly httpStatus: number
  readonly headers: Readonly<Record<string, string>>
  constructor(
    code: string,
    message: string,
    httpStatus: number,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.code = code
    this.httpStatus = httpStatus
    this.headers = headers
  }
}
