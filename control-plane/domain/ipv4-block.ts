import { addressNumber } from './ec2-network.ts'

/** A block of IPv4 addresses. */
export interface Ipv4Block {
  readonly first: number
  readonly prefixLength: number
}

/** Reads `10.0.0.0/16`; undefined for what is none. Bits of the host's part are dropped. */
export function parseIpv4Block(text: string): Ipv4Block | undefined {
  const [, address = '', length = ''] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text) ?? []
  const octets = address.split('.').map(Number)
  const prefixLength = Number(length)
  if (octets.length !== 4 || octets.some((octet) => octet > 255) || prefixLength > 32) return undefined
  const size = 2 ** (32 - prefixLength)
  return { first: Math.floor(addressNumber(address) / size) * size, prefixLength }
}

export function showIpv4Block({ first, prefixLength }: Ipv4Block): string {
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${prefixLength}`
}

const sizeOf = ({ prefixLength }: Ipv4Block): number => 2 ** (32 - prefixLength)

export function overlaps(one: Ipv4Block, other: Ipv4Block): boolean {
  return one.first < other.first + sizeOf(other) && other.first < one.first + sizeOf(one)
}

/** Whether the whole of `inner` lies in `outer`. */
export function contains(outer: Ipv4Block, inner: Ipv4Block): boolean {
  return inner.first >= outer.first && inner.first + sizeOf(inner) <= outer.first + sizeOf(outer)
}
