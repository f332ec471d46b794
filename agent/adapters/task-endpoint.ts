/** How AWS's SDKs and CLI in a task find the control plane by themselves: AWS_ENDPOINT_URL. */
import type { Contributions } from '#engine/contribution.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { TaskResource } from '#runtime/task-resources.ts'
import { ConfigurationError, type Environment } from './environment.ts'

/** What containers are told, and the loopback port of the host that 169.254.170.2 has to lead to for it. */
export interface TaskEndpoint {
  readonly url: string
  readonly forwardedPort?: number
}

const address = '169.254.170.2'
/** Taken by the metadata endpoint at that address. */
const metadataPort = 80

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host)

/**
 * Where the containers of this host reach the control plane. BERTH_TASK_ENDPOINT_URL says it outright, or `off`; otherwise
 * it is where the agent itself finds it (ECS_BACKEND_HOST). A loopback address is another one inside a container's network,
 * so then the port is made to be had at the metadata endpoint's address. Undefined: AWS itself, or `off`.
 * @throws ConfigurationError when BERTH_TASK_ENDPOINT_URL is neither
 */
export function taskEndpoint(environment: Environment): TaskEndpoint | undefined {
  const given = environment['BERTH_TASK_ENDPOINT_URL']
  if (given === 'off') return undefined
  if (given) {
    if (!/^https?:$/.test(URL.parse(given)?.protocol ?? ''))
      throw new ConfigurationError(`BERTH_TASK_ENDPOINT_URL must be a URL or off, not ${given}`)
    return { url: given }
  }
  const backend = environment['ECS_BACKEND_HOST']
  const url = backend ? URL.parse(backend.includes('://') ? backend : `https://${backend}`) : undefined
  if (!url) return undefined
  if (!isLoopback(url.hostname)) return { url: url.href.replace(/\/$/, '') }
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  // A certificate for the loopback address is none for another; and the metadata endpoint has its port for itself.
  if (url.protocol !== 'http:' || port === metadataPort) return undefined
  return { url: `http://${address}:${port}`, forwardedPort: port }
}

const names = ['AWS_ENDPOINT_URL', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']

/** Tells each container, unless its task definition says something of its own about endpoints. */
export function taskEndpointResource(endpoint: TaskEndpoint): TaskResource {
  return {
    name: 'task endpoint',
    isNeeded: () => true,
    provide: ({ task }: TaskRecord): Promise<Contributions> => {
      const told = (task.containers ?? []).filter(
        ({ environment }) => !names.some((name) => Object.hasOwn(environment, name)),
      )
      const contribution = { environment: { AWS_ENDPOINT_URL: endpoint.url } }
      return Promise.resolve(Object.fromEntries(told.map(({ name }) => [name, contribution])))
    },
  }
}
