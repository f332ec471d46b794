/** Requests that tests of task definitions start from. */
import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'

type Request = RegisterTaskDefinitionRequest

export const app: ContainerDefinition = { name: 'app', image: 'busybox:1', memory: 64 }
export const minimal: Request = { family: 'f', containerDefinitions: [app] }
export const role = 'arn:aws:iam::000000000000:role/run'
export const fargate: Request = {
  ...minimal,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
}

export function withApp(more: Partial<ContainerDefinition>, rest: Partial<Request> = {}): Request {
  return { ...minimal, ...rest, containerDefinitions: [{ ...app, ...more }] }
}

export function onFargate(more: Partial<ContainerDefinition>, rest: Partial<Request> = {}): Request {
  return withApp(more, { ...fargate, ...rest })
}

/** The container `app` and one more, `b`. */
export function two(
  first: Partial<ContainerDefinition>,
  second: Partial<ContainerDefinition> = {},
  rest: Partial<Request> = {},
): Request {
  const containerDefinitions = [
    { ...app, ...first },
    { ...app, name: 'b', ...second },
  ]
  return { ...minimal, ...rest, containerDefinitions }
}

/** One volume `v`. */
export function withVolume(volume: object, rest: Partial<Request> = {}): Request {
  return { ...minimal, ...rest, volumes: [{ name: 'v', ...volume }] }
}
