import { expect, test } from 'vitest'
import { loadModel } from './model.ts'
import { decodeInput } from './protocol.ts'

test("the agent's token is read though the published model lacks it", async () => {
  const operation = (await loadModel('ecs')).get('RegisterContainerInstance')
  if (!operation) throw new Error('no such operation')
  const body = Buffer.from('{"cluster":"c","clientToken":"t","other":"dropped"}')
  expect(decodeInput('ecs', 'json', operation, body, new URLSearchParams())).toEqual({
    cluster: 'c',
    clientToken: 't',
  })
})
