import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runInstances } from '#api/ec2/run-instances.ts'
import { testContext } from '#api/testing.ts'
import { instanceConsoles } from './instance-provider-console.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-console-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('gives the end of the log of an instance, and nothing before there is one', async () => {
  const context = await testContext()
  const { Instances } = runInstances(context, { MinCount: 1, MaxCount: 1 })
  const InstanceId = Instances?.[0]?.InstanceId ?? ''
  const consoles = instanceConsoles(directory)
  expect(await consoles.getConsoleOutput(context, { InstanceId })).toEqual({
    InstanceId,
    Output: '',
    Timestamp: new Date(context.clock.now()),
  })
  mkdirSync(join(directory, 'instances', InstanceId), { recursive: true })
  writeFileSync(join(directory, 'instances', InstanceId, 'instance.log'), `${'x'.repeat(70_000)}\nready\n`)
  const { Output = '' } = await consoles.getConsoleOutput(context, { InstanceId })
  const text = Buffer.from(Output, 'base64').toString()
  expect([text.length, text.slice(-8)]).toEqual([65_536, 'x\nready\n'])
  await expect(consoles.getConsoleOutput(context, { InstanceId: 'i-00000000000000001' })).rejects.toThrow(
    "The instance ID 'i-00000000000000001' does not exist",
  )
})
