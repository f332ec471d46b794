/** Who the official agent was on this host, by what it left in the data directory that this agent has now. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentIdentity } from '#runtime/agent-state.ts'
import { messageOf } from '#runtime/agent-error.ts'
import type { Log } from '#runtime/ports.ts'
import { boltBucket } from './bolt.ts'

/** Undefined where it never ran, or never came to be registered, or what it left cannot be read, which is logged. */
export async function officialAgentIdentity(directory: string, log: Log): Promise<AgentIdentity | undefined> {
  try {
    return identityIn(await readFile(join(directory, 'agent.db')))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      log('warn', 'what the official agent left cannot be read', { error: messageOf(error) })
    return undefined
  }
}

/** @throws when the bytes are not what the official agent writes */
export function identityIn(file: Buffer): AgentIdentity | undefined {
  const metadata = boltBucket(file, 'metadata')
  const value = (key: string): string => {
    const parsed: unknown = JSON.parse(metadata.get(key) ?? '""')
    return typeof parsed === 'string' ? parsed : ''
  }
  const containerInstanceArn = value('container-instance-arn')
  if (!containerInstanceArn) return undefined
  return {
    schemaVersion: 1,
    cluster: value('cluster-name'),
    containerInstanceArn,
    ec2InstanceId: value('ec2-instance-id'),
    timeline: Number(value('task-manifest-seq-num') || -1),
  }
}
