import type { TaskResource } from './task-resources.ts'

/**
 * Where Docker's awslogs driver gets the execution role's credentials: a path that it asks for at 169.254.170.2, which
 * leads to this agent from the host too. Docker asks anew before they expire.
 */
export function logCredentials(): TaskResource {
  return {
    name: 'log credentials',
    isNeeded: ({ task, executionCredentialsId }) =>
      executionCredentialsId !== undefined &&
      (task.containers ?? []).some(({ logsAuthStrategy }) => logsAuthStrategy === 'ExecutionRole'),
    provide: ({ task, executionCredentialsId }) => {
      const logOptions = { 'awslogs-credentials-endpoint': `/v2/credentials/${executionCredentialsId}` }
      return Promise.resolve(
        Object.fromEntries(
          (task.containers ?? [])
            .filter(({ logsAuthStrategy }) => logsAuthStrategy === 'ExecutionRole')
            .map(({ name }) => [name, { logOptions }]),
        ),
      )
    },
  }
}
