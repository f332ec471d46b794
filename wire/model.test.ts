import { expect, test } from 'vitest'
import { loadModel } from './model.ts'
import { decodeInput } from './protocol.ts'

test("the agent's token is read though the published model lacks it", async () => {
  const operation = (await loadModel('ecs')).get('RegisterContainerInstance')
  if (!operation) throw new Error('no such operation')
  const body = Buffer.from('{"cluster":"c","clientToken":"t","other":"dropped"}')
  const request = { method: 'POST', path: '/', form: new URLSearchParams(), headers: {}, body }
  expect(decodeInput('ecs', 'json', operation, request)).toEqual({
    cluster: 'c',
    clientToken: 't',
  })
})
