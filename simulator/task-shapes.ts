/** The tasks that scenarios run: from one container to three that wait for each other. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Chance } from './chance.ts'
import { batchImage } from './host.ts'

export interface Shape {
  /** Of the whole task. */
  readonly cpu?: number
  readonly memory?: number
  readonly hostPort?: number
  readonly hasCheck?: boolean
  /** Nothing runs beside `app`. */
  readonly alone?: boolean
}

/** So large that four fill a host by their memory, and leave a little that is not enough for another. */
export const large: Shape = { cpu: 512, memory: 1000 }

const asideCpu = 16
const asideMemory = 16
const check = { command: ['CMD-SHELL', 'true'] }
/** Lets a task end whose dependency lost its health before the agent saw it. */
const startTimeout = 120

/** The containers of a task: `app`, which is essential and runs `image`, and often others beside it. */
export function taskShape(chance: Chance, image: string, shape: Shape): ContainerDefinition[] {
  const { cpu = 128, memory = 128, hostPort, hasCheck, alone = false } = shape
  const aside = (!alone && chance.oneOf(asides)?.(chance)) || []
  const dependsOn = aside.flatMap(({ condition, name }) =>
    condition === undefined ? [] : [{ containerName: name ?? '', condition }],
  )
  return [
    {
      name: 'app',
      image,
      essential: true,
      cpu: cpu - aside.length * asideCpu,
      memory: memory - aside.length * asideMemory,
      portMappings: [{ containerPort: 80, ...(hostPort !== undefined && { hostPort }) }],
      ...(hasCheck && { healthCheck: check }),
      ...(dependsOn.length > 0 && { dependsOn }),
    },
    ...aside.map(({ condition: _awaited, ...container }) => container),
  ]
}

/** A container beside `app`, and what `app` waits for in it. */
type Aside = ContainerDefinition & { readonly condition?: 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY' }

const beside = (name: string, image: string, given: Partial<Aside>): Aside => ({
  name,
  image,
  cpu: asideCpu,
  memory: asideMemory,
  ...given,
})
const restarting = (chance: Chance): Partial<Aside> =>
  chance.happens(0.5) ? { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } } : {}

const asides: ReadonlyArray<(chance: Chance) => readonly Aside[]> = [
  () => [],
  () => [],
  () => [beside('init', batchImage, { essential: false, condition: 'SUCCESS' })],
  () => [beside('init', batchImage, { essential: false, condition: 'COMPLETE' })],
  (chance) => [beside('proxy', 'proxy', { essential: true, condition: 'START', ...restarting(chance) })],
  (chance) => [
    beside('proxy', 'proxy', {
      essential: chance.happens(0.5),
      healthCheck: check,
      startTimeout,
      condition: 'HEALTHY',
    }),
  ],
  (chance) => [
    beside('logger', 'logger', {
      essential: false,
      dependsOn: [{ containerName: 'app', condition: 'START' }],
      ...restarting(chance),
    }),
  ],
  () => [
    beside('init', batchImage, { essential: false, condition: 'SUCCESS' }),
    beside('warm', batchImage, {
      essential: false,
      dependsOn: [{ containerName: 'init', condition: 'COMPLETE' }],
    }),
  ],
]
