/** Joins what the agent serves on its host: the endpoint of containers with its audit log, and introspection. */
import type { Server } from 'node:http'
import type { Clock } from '@berth/std/clock.ts'
import type { Agent } from '#runtime/agent.ts'
import type { Log } from '#runtime/ports.ts'
import type { TaskApi } from '#adapters/aws-api.ts'
import type { DockerRuntime } from '#adapters/docker.ts'
import { ConfigurationError, type Environment } from '#adapters/environment.ts'
import { auditLine, AuditLog } from './audit-log.ts'
import type { CredentialsAudit } from './credentials.ts'
import { defaultRateLimit, parseRateLimit, type RateLimit } from './rate-limit.ts'
import { containerEndpoint, introspectionEndpoint, introspectionPort, metadataPort } from './server.ts'
import type { Location, MetadataSource } from './source.ts'
import { StatsStreams } from './stats.ts'

export interface LocalEndpointsOptions {
  readonly agent: Agent
  readonly docker: DockerRuntime
  readonly api: TaskApi
  readonly clock: Clock
  readonly environment: Environment
  readonly log: Log
  readonly cluster: string
  readonly region: string
  readonly location: Location
  readonly versionText: string
}

export interface LocalEndpoints {
  /** A port that somebody else has costs the endpoint, not the tasks. */
  listen(): void
  close(): void
}

/** @throws ConfigurationError */
export function localEndpoints(options: LocalEndpointsOptions): LocalEndpoints {
  const { docker, clock, environment, log } = options
  const stats = new StatsStreams(
    (id) => docker.openStats(id),
    (id) => docker.networkCounters(id),
    clock,
  )
  const source: MetadataSource = { ...options, stats }
  const containers = containerEndpoint({
    source,
    rateLimit: rateLimit(environment),
    audit: auditTo(options, environment),
  })
  const people = introspectionEndpoint(source)
  const listen = (server: Server, port: number, address?: string): void => {
    server.on('error', (error) => log('error', 'local endpoint not served', { port, error: error.message }))
    server.listen(port, address)
  }
  return {
    listen() {
      listen(containers, metadataPort, '127.0.0.1')
      listen(people, introspectionPort)
    },
    close() {
      stats.close()
      for (const server of [containers, people]) server.close().closeAllConnections()
    },
  }
}

function rateLimit(environment: Environment): RateLimit {
  const text = environment['ECS_TASK_METADATA_RPS_LIMIT']
  if (!text) return defaultRateLimit
  const limit = parseRateLimit(text)
  if (limit) return limit
  throw new ConfigurationError(
    `ECS_TASK_METADATA_RPS_LIMIT must be two numbers such as 40,60, the second no less than the first, not ${text}`,
  )
}

function auditTo(
  { agent, cluster, clock, log }: LocalEndpointsOptions,
  environment: Environment,
): (entry: CredentialsAudit) => void {
  const path = environment['ECS_AUDIT_LOGFILE']
  if (!path || environment['ECS_AUDIT_LOGFILE_DISABLED'] === 'true') return () => undefined
  const file = new AuditLog(path, (error) => log('warn', 'audit log not written', { error: String(error) }))
  return (entry) => {
    const { containerInstanceArn } = agent.identity()
    file.write(auditLine(entry, { cluster, containerInstanceArn, atMs: clock.now() }))
  }
}
