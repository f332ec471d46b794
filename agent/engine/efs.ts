/** EFS file systems as NFS mounts of Docker's local volume driver: which server, and with which options. */
import type { PayloadVolume } from '@berth/agent-protocol/payload.ts'

type EfsVolume = NonNullable<PayloadVolume['efsVolumeConfiguration']>

/** Where file systems are: what the setting BERTH_EFS_SERVERS says. */
export interface EfsServers {
  /** `10.0.0.5:/export` by the id of a file system or of an access point. */
  readonly byId: Readonly<Record<string, string>>
  /** Whether all others are looked for at Amazon's names, which needs a network where those are known. */
  readonly amazon: boolean
}

export const noEfsServers: EfsServers = { byId: {}, amazon: false }

/** Whether any file system can be had. */
export const hasEfs = ({ byId, amazon }: EfsServers): boolean => amazon || Object.keys(byId).length > 0

/** What Amazon recommends for its file systems. */
const mountOptions = 'nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2'

/**
 * The options of the volume, or why it cannot be had. A server that is named for a file system is trusted with it:
 * it is reached without TLS and without IAM, whatever the volume asks for.
 */
export function efsMount(
  { fileSystemId, rootDirectory = '/', transitEncryption, authorizationConfig = {} }: EfsVolume,
  { byId, amazon }: EfsServers,
  region: string,
): { readonly options: Readonly<Record<string, string>> } | { readonly fault: string } {
  const { accessPointId, iam } = authorizationConfig
  const named = Object.hasOwn(byId, accessPointId ?? fileSystemId)
    ? byId[accessPointId ?? fileSystemId]
    : undefined
  if (named !== undefined) {
    const [server = '', ...path] = named.split(':')
    const root = `${path.join(':').replace(/\/$/, '')}${rootDirectory === '/' ? '' : rootDirectory}`
    return { options: nfs(server, root || '/', mountOptions) }
  }
  const host = `${fileSystemId}.efs.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
  if (!amazon)
    return {
      fault: `Failed to resolve "${host}" - check that your file system ID is correct, and that BERTH_EFS_SERVERS names a server for ${accessPointId ?? fileSystemId}`,
    }
  if (accessPointId !== undefined || iam === 'ENABLED' || transitEncryption === 'ENABLED')
    return { fault: `${host} can be mounted without an access point, IAM and encryption in transit only` }
  // Without a reserved port Amazon's servers take connections up again after a break.
  return { options: nfs(host, rootDirectory, `${mountOptions},noresvport`) }
}

const nfs = (server: string, path: string, options: string): Readonly<Record<string, string>> => ({
  type: 'nfs',
  device: `:${path}`,
  o: `addr=${server},${options}`,
})

/** Reads `fs-1=10.0.0.5:/export,fsap-2=nfs.local:/export/two,amazon`; the first part that means nothing, if any. */
export function parseEfsServers(text: string): EfsServers | { readonly strange: string } {
  const byId: Record<string, string> = {}
  let amazon = false
  for (const part of text.split(',').map((word) => word.trim())) {
    const [, id, server] = /^(fs(?:ap)?-[A-Za-z0-9-]+)=([^\s=:]+(?::\/[^\s]*)?)$/.exec(part) ?? []
    if (part === 'amazon') amazon = true
    else if (id !== undefined && server !== undefined) byId[id] = server
    else if (part !== '') return { strange: part }
  }
  return { byId, amazon }
}
