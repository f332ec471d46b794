/** The addresses at which other machines reach the control plane, with the certificate they reach it under. */
import { hostname, networkInterfaces } from 'node:os'
import type { Clock } from '@berth/std/clock.ts'
import { type HttpServer, isWildcard } from './http-server.ts'
import { pinOf, provideCertificate } from './tls.ts'

const lookMs = 24 * 3_600_000

export interface Exposure {
  /** Where hosts are told to find it: the first of its addresses. */
  readonly url: string
  /** SHA-256 of its public key, base64url. */
  readonly pin: string
  close(): void
}

/**
 * Listens on `addresses`, and looks every day whether the certificate is to be renewed. All addresses (0.0.0.0) go by those
 * that this machine has now.
 * @throws with words for a person
 */
export async function expose(
  server: Pick<HttpServer, 'listen' | 'renew'>,
  options: {
    readonly directory: string
    readonly addresses: readonly string[]
    readonly port: number
    readonly clock: Clock
    readonly report: (during: string, problem: unknown) => void
  },
): Promise<Exposure> {
  const { directory, addresses, port, clock, report } = options
  const own = [...new Set(addresses.flatMap((address) => (isWildcard(address) ? ownAddresses() : [address])))]
  const [first = '127.0.0.1'] = own
  const names = { addresses: own, hostName: hostname(), port }
  let certificate = await provideCertificate(directory, names, clock.now())
  for (const host of addresses) {
    const listening = await server.listen({ host, port, certificate })
    if ('error' in listening) throw new Error(listening.error)
  }
  let cancel = (): void => undefined
  const lookAgain = (): void => {
    cancel = clock.at(clock.now() + lookMs, () => {
      provideCertificate(directory, names, clock.now())
        .then((fresh) => {
          if (fresh.cert !== certificate.cert) server.renew(fresh)
          certificate = fresh
        })
        .catch((error: unknown) => report('renewing the certificate', error))
        .finally(lookAgain)
    })
  }
  lookAgain()
  return {
    url: `https://${first.includes(':') ? `[${first}]` : first}:${port}`,
    pin: pinOf(certificate.key),
    close: () => cancel(),
  }
}

/** Those that other machines may reach; IPv4 first, and none that only this link knows. */
function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const reachable = all.filter(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/.test(address))
  return reachable.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address)
}
