import { expect, test } from 'vitest'
import { type SeenContainer, startsMax, unmetCondition } from './container-laws.ts'

const seen = (given: Partial<SeenContainer>): SeenContainer[] => [
  {
    name: 'db',
    running: false,
    started: false,
    exitCode: 0,
    wasHealthy: false,
    endedByItself: false,
    ...given,
  },
]

test.each([
  ['START', { started: true, running: true }, {}],
  ['COMPLETE', { started: true, exitCode: 1 }, { started: true, running: true }],
  ['SUCCESS', { started: true }, { started: true, exitCode: 1 }],
  ['HEALTHY', { started: true, running: true, wasHealthy: true }, { started: true, running: true }],
] as const)('a container that starts before %s holds breaks a law', (condition, met, unmet) => {
  const definition = { dependsOn: [{ containerName: 'db', condition }] }
  expect(unmetCondition(definition, seen(met))).toBeUndefined()
  expect(unmetCondition(definition, seen(unmet))).toBe(`db ${condition}`)
  expect(unmetCondition(definition, [])).toBe(`db ${condition}`)
})

test('a container starts once, and again after each period of its restart policy', () => {
  expect(startsMax({}, 600_000)).toBe(1)
  const restartPolicy = { enabled: true, restartAttemptPeriod: 60 }
  expect(startsMax({ restartPolicy }, 59_999)).toBe(1)
  expect(startsMax({ restartPolicy }, 120_000)).toBe(3)
})
