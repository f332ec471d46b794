import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from '@berth/wire/node-http.ts'
import { Buffer } from 'node:buffer'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { InstanceDescription } from './description.ts'
import { metadata } from './metadata-tree.ts'

const ttlSecondsMax = 21_600
const tokensMax = 10_000

/**
 * The instance metadata service, versions 1 and 2, to be made to listen on 169.254.169.254. The hop limit of the
 * metadata options is not enforced: containers behind a bridge are served whatever it says.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
export function metadataService(instance: InstanceDescription, clock: Clock, ids: Ids): Server {
  const tokens = new Map<string, number>()

  const issue = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers['x-forwarded-for'] !== undefined) return refuse(response, 403, 'Forbidden')
    const ttlSeconds = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
    if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > ttlSecondsMax)
      return refuse(response, 400, 'Bad Request')
    for (const [known, until] of tokens)
      if (until <= clock.now() || tokens.size >= tokensMax) tokens.delete(known)
    const token = `${Buffer.from(ids.hex(40), 'hex').toString('base64url')}==`
    tokens.set(token, clock.now() + ttlSeconds * 1000)
    answer(response, token, { 'X-Aws-Ec2-Metadata-Token-Ttl-Seconds': String(ttlSeconds) })
  }

  return createServer((request, response) => {
    const path = decodeURI(new URL(request.url ?? '/', 'http://metadata').pathname)
    if (request.method === 'PUT')
      return path === '/latest/api/token'
        ? issue(request, response)
        : refuse(response, 405, 'Method Not Allowed')
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(response, 405, 'Method Not Allowed')
    const token = request.headers['x-aws-ec2-metadata-token']
    const valid = typeof token === 'string' && (tokens.get(token) ?? 0) > clock.now()
    if (token === undefined ? instance.httpTokens === 'required' : !valid)
      return refuse(response, 401, 'Unauthorized')
    if (path === '/') return answer(response, '1.0\n2021-07-15\nlatest')
    const [, version = '', ...rest] = path.split('/')
    const found = /^(?:latest|1\.0|\d{4}-\d\d-\d\d)$/.test(version)
      ? metadata(instance, rest.join('/'), clock.now())
      : undefined
    if (found === undefined) return refuse(response, 404, 'Not Found')
    return answer(response, found)
  })
}

function answer(response: ServerResponse, text: string, headers: Record<string, string> = {}): void {
  const type = text.startsWith('{') ? 'application/json' : 'text/plain'
  const body = Buffer.from(text, 'latin1')
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': body.length,
    Server: 'EC2ws',
    ...headers,
  })
  response.end(body)
}

function refuse(response: ServerResponse, status: number, title: string): void {
  const text = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>${status} - ${title}</title>
 </head>
 <body>
  <h1>${status} - ${title}</h1>
 </body>
</html>
`
  response.writeHead(status, {
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(text),
    Server: 'EC2ws',
  })
  response.end(text)
}
