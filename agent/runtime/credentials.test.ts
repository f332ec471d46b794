import { expect, test } from 'vitest'
import type { RoleCredentials } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { CredentialsMissing, TaskCredentials } from './credentials.ts'

const arn = 'arn:aws:ecs:us-east-1:123456789012:task/proof/one'
const sent = (accessKeyId: string, credentialsId = 'one'): RoleCredentials => ({ credentialsId, accessKeyId })

test('newer credentials take the place of older ones, of the task role and of the execution role apart', async () => {
  const held = new TaskCredentials(new SimulatedClock(0))
  held.keep(arn, 'task', sent('ASIA1'))
  held.keep(arn, 'execution', sent('ASIA2', 'two'))
  held.keep(arn, 'task', sent('ASIA3'))
  expect(held.find('one')).toEqual({ taskArn: arn, kind: 'task', credentials: sent('ASIA3') })
  expect(held.find('two')?.kind).toBe('execution')
  expect(await held.credentialsFor(arn, 'execution')).toEqual(sent('ASIA2', 'two'))
})

test('whoever asks before the first credentials came is given them when they do', async () => {
  const held = new TaskCredentials(new SimulatedClock(0))
  const asked = [held.credentialsFor(arn, 'task'), held.credentialsFor(arn, 'task')]
  held.keep(arn, 'task', sent('ASIA1'))
  expect(await Promise.all(asked)).toEqual([sent('ASIA1'), sent('ASIA1')])
})

test('says after a minute that no credentials came', async () => {
  const clock = new SimulatedClock(0)
  const held = new TaskCredentials(clock)
  const asked = held.credentialsFor(arn, 'execution').catch((error: unknown) => error)
  await clock.run(60_000)
  expect(await asked).toBeInstanceOf(CredentialsMissing)
})

test('forgets a task with all its credentials', () => {
  const held = new TaskCredentials(new SimulatedClock(0))
  held.keep(arn, 'task', sent('ASIA1'))
  held.forget(arn)
  expect([held.find('one'), held.held(arn, 'task')]).toEqual([undefined, undefined])
})
