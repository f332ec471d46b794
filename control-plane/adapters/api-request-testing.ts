/** A request in each of AWS's protocols, for tests: a value of another kind than its shape says is sent as it is. */
import { loadModel, type OperationModel, serviceDescriptions, type ServiceName } from '@berth/wire/model.ts'
import type { Shape } from '@berth/wire/shape.ts'

export interface ApiRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Dialect = 'ec2' | 'query'

/** The request of an operation with an input in JSON, where times are seconds since the epoch. Not signed. */
export async function apiRequest(
  service: ServiceName,
  operation: string,
  input: unknown,
): Promise<ApiRequest> {
  const description = serviceDescriptions[service]
  const model = (await loadModel(service)).get(operation)
  if (!model) throw new Error(`${service} has no ${operation}`)
  switch (description.protocol) {
    case 'json':
      return {
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `${description.target}.${operation}`,
        },
        body: JSON.stringify(input),
      }
    case 'ec2':
    case 'query': {
      const form = new URLSearchParams({ Action: operation, Version: description.version })
      writeForm(form, model.input, input, '', description.protocol)
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return { method: 'POST', url: '/', headers, body: form.toString() }
    }
    case 'restJson':
      return restRequest(model, input as Readonly<Record<string, unknown>>)
  }
}

/** `Filter.1.Value.2=x`, or `Tags.member.1.Key=x`; what is of another kind than its shape is written as a text. */
function writeForm(
  form: URLSearchParams,
  shape: Shape,
  value: unknown,
  path: string,
  dialect: Dialect,
): void {
  if (shape.kind === 'list' && Array.isArray(value)) {
    const list = dialect === 'query' && shape.queryName !== undefined ? `${path}.${shape.queryName}` : path
    // An empty list is what a form cannot say otherwise.
    if (value.length === 0 && dialect === 'query') form.append(path, '')
    for (const [index, item] of value.entries())
      writeForm(form, shape.item, item, `${list}.${index + 1}`, dialect)
  } else if (shape.kind === 'struct' && typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) {
      const member = shape.members.get(name)
      if (!member || each === undefined) continue
      const own = dialect === 'ec2' ? member.ec2Name : member.queryName
      writeForm(form, member.shape, each, path === '' ? own : `${path}.${own}`, dialect)
    }
  else form.append(path, textOf(shape, value))
}

function textOf({ kind }: Shape, value: unknown): string {
  return kind === 'timestamp' && typeof value === 'number'
    ? new Date(value * 1000).toISOString()
    : String(value)
}

function restRequest(
  { name: operation, http, input: shape }: OperationModel,
  input: Readonly<Record<string, unknown>>,
): ApiRequest {
  if (!http) throw new Error(`${operation} has no path`)
  const query = new URLSearchParams(http.query)
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) {
    const member = shape.members.get(name)
    const place = member?.http
    if (value === undefined || value === null || place?.in === 'label') continue
    if (!member || !place) body[member?.jsonName ?? name] = value
    else if (place.in === 'query')
      for (const each of [value].flat()) query.append(place.name, textOf(member.shape, each))
    else throw new Error(`${operation} has its ${name} where no test has looked yet`)
  }
  const path = http.segments.map((segment) => {
    const label = /^\{(\w+)\+?\}$/.exec(segment)?.[1]
    return label === undefined ? segment : encodeURIComponent(labelText(input[label]))
  })
  return {
    method: http.method,
    url: `/${path.join('/')}${query.size > 0 ? `?${query.toString()}` : ''}`,
    headers: { 'content-type': 'application/json' },
    body: ['GET', 'DELETE'].includes(http.method) ? '' : JSON.stringify(body),
  }
}

const labelText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
