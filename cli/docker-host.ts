import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installationOf, runDirectoryOf } from '@berth/control-plane/adapters/instance-provider-host.ts'
import { directoryOf } from './data-directory.ts'
import { Failure } from './failure.ts'

/** Prints the address of a local instance's Docker Engine, for `docker -H`. */
export function dockerHost(
  instanceId: string,
  options: { readonly data?: string; readonly port?: number },
): void {
  const directory = directoryOf(options)
  const socket = existsSync(directory)
    ? join(runDirectoryOf(installationOf(directory), instanceId), 'docker.sock')
    : ''
  if (!existsSync(socket))
    throw new Failure(`no instance ${instanceId} runs here; "aws ec2 describe-instances" lists them`)
  console.log(`unix://${socket}`)
}
