import type { TaskOverride } from '@aws-sdk/client-ecs'

/** An input that is not the overrides of a task. */
export class OverridesError extends Error {}

type Shape = 'text' | 'number' | readonly [Shape] | { readonly [name: string]: Shape }

const pair = { name: 'text', value: 'text' } as const
const container = {
  name: 'text',
  command: ['text'],
  environment: [pair],
  environmentFiles: [{ value: 'text', type: 'text' }],
  cpu: 'number',
  memory: 'number',
  memoryReservation: 'number',
  resourceRequirements: [{ value: 'text', type: 'text' }],
} as const
const taskOverride = {
  containerOverrides: [container],
  cpu: 'text',
  memory: 'text',
  taskRoleArn: 'text',
  executionRoleArn: 'text',
  ephemeralStorage: { sizeInGiB: 'number' },
  inferenceAcceleratorOverrides: [{ deviceName: 'text', deviceType: 'text' }],
} as const

/**
 * The overrides that the input of a target says, in JSON: `{"containerOverrides": […]}`. Names it does not know are dropped.
 * Throws OverridesError.
 */
export function overridesOf(input: string): TaskOverride {
  let json: unknown
  try {
    json = JSON.parse(input)
  } catch (error) {
    throw new OverridesError('the input is not JSON', { cause: error })
  }
  return fit(taskOverride, json, 'the input') as TaskOverride
}

function fit(shape: Shape, json: unknown, path: string): unknown {
  if (shape === 'text' && typeof json === 'string') return json
  if (shape === 'number' && Number.isSafeInteger(json)) return json
  if (isList(shape)) {
    if (Array.isArray(json)) return json.map((item, index) => fit(shape[0], item, `${path}[${index}]`))
  } else if (typeof shape === 'object' && typeof json === 'object' && json !== null && !Array.isArray(json))
    return Object.fromEntries(
      Object.entries(json).flatMap(([name, value]) => {
        const member = Object.hasOwn(shape, name) ? shape[name] : undefined
        return member === undefined || value === null ? [] : [[name, fit(member, value, `${path}.${name}`)]]
      }),
    )
  const wanted = typeof shape === 'string' ? `a ${shape}` : isList(shape) ? 'a list' : 'an object'
  throw new OverridesError(`${path} is not ${wanted}`)
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)
