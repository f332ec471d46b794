import { open } from 'node:fs/promises'
import type { DataPlanes } from '#api/data-planes.ts'
import { resolveInstances } from '#api/ec2/instance.ts'
import { refuseDryRun } from '#api/ec2/list.ts'
import { installationOf, instanceDirectory } from './instance-provider-host.ts'

/** As much as EC2 gives: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html */
const outputBytesMax = 64 * 1024

/** What an instance prints at its console is the log of its init; of an instance that is no more there is none. */
export function instanceConsoles(directory: string): DataPlanes['consoles'] {
  const installation = installationOf(directory)
  return {
    async getConsoleOutput({ store, scope, clock }, input) {
      refuseDryRun(input)
      const instanceId = input.InstanceId ?? ''
      resolveInstances(store, scope, [instanceId])
      const file = `${instanceDirectory(installation, instanceId)}/instance.log`
      const { text, changedAt } = await endOf(file, clock.now())
      return {
        InstanceId: instanceId,
        Output: text.toString('base64'),
        Timestamp: new Date(changedAt),
      }
    },
  }
}

/** The last bytes of a file and when they were written; nothing, as of now, when there is no file. */
async function endOf(
  file: string,
  now: number,
): Promise<{ readonly text: Buffer; readonly changedAt: number }> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!handle) return { text: Buffer.alloc(0), changedAt: now }
  try {
    const { size, mtimeMs } = await handle.stat()
    const length = Math.min(size, outputBytesMax)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    return { text: buffer.subarray(0, bytesRead), changedAt: mtimeMs }
  } finally {
    await handle.close()
  }
}
