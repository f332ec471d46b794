import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { expect, test } from 'vitest'
import { availabilityZoneId, pickAddress, privateDnsName, publicDnsName } from './ec2-network.ts'

test('picks an address of the block that nobody has, until there is none', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (fraction) => {
      const taken = new Set<string>()
      for (;;) {
        const address = pickAddress(
          '10.1.2.32/28',
          (candidate) => taken.has(candidate),
          () => fraction,
        )
        if (address === undefined) break
        expect(ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR('10.1.2.32/28'))).toBe(true)
        expect(taken.has(address)).toBe(false)
        taken.add(address)
      }
      expect(taken.size).toBe(16 - 5)
      expect(
        ['10.1.2.32', '10.1.2.33', '10.1.2.34', '10.1.2.35', '10.1.2.47'].some((kept) => taken.has(kept)),
      ).toBe(false)
    }),
    { numRuns: 30 },
  )
})

test.each([
  ['us-east-1', 'use1-az1'],
  ['eu-central-1', 'euc1-az1'],
  ['ap-northeast-2', 'apne2-az1'],
  ['sa-east-1', 'sae1-az1'],
  ['us-gov-west-1', 'usgw1-az1'],
])('names the first zone of %s %s', (region, id) => {
  expect(availabilityZoneId(region, 1)).toBe(id)
})

test('names an instance by its address', () => {
  expect(privateDnsName('172.31.5.7', 'us-east-1')).toBe('ip-172-31-5-7.ec2.internal')
  expect(privateDnsName('172.31.5.7', 'eu-west-1')).toBe('ip-172-31-5-7.eu-west-1.compute.internal')
  expect(publicDnsName('172.31.5.7', 'eu-west-1')).toBe('ec2-172-31-5-7.eu-west-1.compute.berth.internal')
})
