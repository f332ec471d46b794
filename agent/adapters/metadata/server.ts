/** The agent's two local endpoints: metadata and credentials for containers, and introspection for people. */
import type { Server } from 'node:http'
import { createServer } from '@berth/wire/node-http.ts'
import { type Answer, type Asked, failed, type Route, route, sourceAddress } from './answer.ts'
import { type CredentialsAudit, credentialsRoutes } from './credentials.ts'
import { introspectionRoutes } from './introspection.ts'
import { type RateLimit, RateLimiter } from './rate-limit.ts'
import { addressedRoutes, sourceRoutes } from './routes.ts'
import type { MetadataSource } from './source.ts'
import { taskProtectionRoutes } from './task-protection.ts'

export const metadataPort = 51679
export const introspectionPort = 51678

const limited: Answer = { status: 429, body: 'You have reached maximum request limit.', plain: true }

export interface ContainerEndpointOptions {
  readonly source: MetadataSource
  readonly rateLimit: RateLimit
  readonly audit: (entry: CredentialsAudit) => void
}

/** Answers containers under 169.254.170.2; listen on the loopback address. */
export function containerEndpoint({ source, rateLimit, audit }: ContainerEndpointOptions): Server {
  const limiter = new RateLimiter(rateLimit, source.clock)
  const routes: readonly Route[] = [
    ...credentialsRoutes(source, audit),
    ...sourceRoutes(source),
    ...addressedRoutes(source, 'v3'),
    ...addressedRoutes(source, 'v4'),
    ...taskProtectionRoutes(source),
  ]
  return serve((asked) => {
    if (limiter.admits(`${sourceAddress(asked)} ${asked.url.pathname}`)) return route(routes, asked)
    audit({ asked, status: limited.status })
    return Promise.resolve(limited)
  })
}

/** Answers anybody who may reach the host. */
export function introspectionEndpoint(source: MetadataSource): Server {
  const routes = introspectionRoutes(source)
  return serve((asked) => route(routes, asked))
}

function serve(answer: (asked: Asked) => Promise<Answer>): Server {
  const server = createServer((request, response) => {
    const asked = { request, url: new URL(request.url ?? '/', 'http://agent') }
    void answer(asked)
      .catch((error: unknown) => failed(500, error instanceof Error ? error.message : String(error)))
      .then(({ status, body, plain }) => {
        response.writeHead(status, {
          'content-type': plain ? 'text/plain; charset=utf-8' : 'application/json',
        })
        response.end(plain ? String(body) : JSON.stringify(body))
      })
  })
  server.requestTimeout = 5000
  return server
}
