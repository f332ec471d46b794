/** The certificate under which other machines reach the control plane. It is known by its key, not by who signed it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

const dayMs = 24 * 3_600_000
const validMs = 2 * 365 * dayMs
/** A control plane that is never started anew looks every day whether its certificate is this near to its end. */
const renewedBeforeMs = 90 * dayMs
/** The clocks of others may be behind ours. */
const validSinceMs = dayMs

export interface ServerCertificate {
  /** PEM. */
  readonly key: string
  readonly cert: string
}

/** What a certificate is good for. */
export interface CertificateNames {
  /** IP addresses. */
  readonly addresses: readonly string[]
  readonly hostName: string
  readonly port: number
}

/** SHA-256 of a public key (SPKI) in base64url, of a key or certificate in PEM: stays when a certificate is renewed. */
export function pinOf(pem: string): string {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  return Buffer.from(hash('sha256', der, 'buffer')).toString('base64url')
}

/**
 * The certificate in DIR/tls; made where there is none, and renewed with the same key when it nears its end or lacks one of
 * the names. Throws with words for a person when the key, which hosts know, is there and cannot be read.
 */
export async function provideCertificate(
  directory: string,
  names: CertificateNames,
  now: number,
): Promise<ServerCertificate> {
  const folder = join(directory, 'tls')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const key = provideKey(join(folder, 'key.pem'))
  const certFile = join(folder, 'cert.pem')
  const known = readIfThere(certFile)
  if (known !== undefined && isGood(known, key, names, now)) return { key, cert: known }
  const cert = await makeCertificate(key, names, now)
  writeWhole(certFile, cert)
  return { key, cert }
}

function provideKey(file: string): string {
  const known = readIfThere(file)
  if (known !== undefined) {
    try {
      createPrivateKey(known)
      return known
    } catch (error) {
      throw new Error(
        `${file} holds no key that can be read. Restore it: machines that joined know this control plane by it. Without it, remove the file and let them join anew.`,
        { cause: error },
      )
    }
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeWhole(file, key)
  return key
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function isGood(cert: string, key: string, names: CertificateNames, now: number): boolean {
  try {
    const known = new X509Certificate(cert)
    const { addresses, dnsNames } = subjects(names)
    const listed = (known.subjectAltName ?? '').split(', ')
    return (
      pinOf(cert) === pinOf(key) &&
      known.validToDate.getTime() - now > renewedBeforeMs &&
      addresses.every((address) => known.checkIP(address) !== undefined) &&
      dnsNames.every((name) => listed.includes(`DNS:${name}`) || listed.includes(`DNS:"${name}"`))
    )
  } catch {
    return false // half written, or somebody else's
  }
}

/**
 * The official agent checks the certificate of a websocket against the literal `host:port`
 * (amazon-ecs-agent, ecs-agent/wsclient/client.go), so that too is a name of each address.
 */
function subjects({ addresses, hostName, port }: CertificateNames): {
  readonly addresses: readonly string[]
  readonly dnsNames: readonly string[]
} {
  const named = [...new Set(['localhost', hostName])]
  const literal = [...named, ...addresses].map((host) =>
    isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`,
  )
  return { addresses: [...new Set(['127.0.0.1', '::1', ...addresses])], dnsNames: [...named, ...literal] }
}

async function makeCertificate(key: string, names: CertificateNames, now: number): Promise<string> {
  const { generate } = await import('selfsigned')
  const { addresses, dnsNames } = subjects(names)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  const { cert } = await generate([{ name: 'commonName', value: 'Berth control plane' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    keyPair: { privateKey: key, publicKey },
    notBeforeDate: new Date(now - validSinceMs),
    notAfterDate: new Date(now + validMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...dnsNames.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  })
  return cert
}
