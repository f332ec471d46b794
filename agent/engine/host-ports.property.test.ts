import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocateHostPorts, portKey } from './host-ports.ts'
import { networkBindings } from './network-bindings.ts'

const range: readonly [number, number] = [32768, 32868]
const mapping = fc.oneof(
  fc.record({
    containerPort: fc.integer({ min: 1, max: 65535 }),
    hostPort: fc.constant(0),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  }),
  fc.integer({ min: 1, max: 60000 }).chain((low) =>
    fc.record({
      containerPortRange: fc.nat(5).map((more) => `${low}-${low + more}`),
      protocol: fc.constant('tcp' as const),
    }),
  ),
)

test('no port is given twice, none that is taken, none beyond the range, and the lowest that fits', () => {
  fc.assert(
    fc.property(
      fc.array(mapping, { maxLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 32768, max: 32800 })),
      (mappings, busy) => {
        const taken = new Set(busy.map((port) => portKey('tcp', port)))
        const ports = allocateHostPorts(mappings, taken, range)
        if ('failure' in ports) return
        const keys = ports.map(({ protocol, hostPort }) => portKey(protocol, hostPort))
        expect(new Set(keys).size).toBe(keys.length)
        for (const { protocol, hostPort } of ports) {
          expect(taken.has(portKey(protocol, hostPort))).toBe(false)
          expect(hostPort).toBeGreaterThanOrEqual(range[0])
          expect(hostPort).toBeLessThanOrEqual(range[1])
        }
        expect(networkBindings(ports)).toHaveLength(
          new Set(
            ports.map(
              ({ range: block, protocol, containerPort, hostPort }) =>
                block ?? `${protocol}:${containerPort}:${hostPort}`,
            ),
          ).size,
        )
      },
    ),
  )
})

test('an asked-for port is taken as it is, and the scan goes on above it', () => {
  const mappings = [
    { containerPort: 80, hostPort: 32768 },
    { containerPort: 81, hostPort: 0 },
  ]
  expect(allocateHostPorts(mappings, new Set(), range)).toEqual([
    { containerPort: 80, hostPort: 32768, protocol: 'tcp' },
    { containerPort: 81, hostPort: 32769, protocol: 'tcp' },
  ])
})

test('a range of ports gets one block and one binding', () => {
  const taken = new Set([portKey('tcp', 32769)])
  const ports = allocateHostPorts([{ containerPortRange: '9000-9002', protocol: 'tcp' }], taken, range)
  expect(networkBindings('failure' in ports ? [] : ports)).toEqual([
    { bindIP: '0.0.0.0', containerPortRange: '9000-9002', hostPortRange: '32770-32772', protocol: 'tcp' },
  ])
})

test('says so when there is no room', () => {
  expect(allocateHostPorts([{ containerPortRange: '1-200' }], new Set(), range)).toHaveProperty('failure')
})
