import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pinOf, provideCertificate } from './tls.ts'

const dayMs = 24 * 3_600_000
const now = Date.UTC(2026, 0, 1)
const names = { addresses: ['10.0.0.5', 'fd00::5'], hostName: 'hub', port: 4566 }
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-tls-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('makes a certificate for its addresses, and for the literal host:port that the official agent asks for', async () => {
  const { cert, key } = await provideCertificate(directory, names, now)
  const read = new X509Certificate(cert)
  for (const address of ['127.0.0.1', '10.0.0.5', 'fd00::5']) expect(read.checkIP(address)).toBe(address)
  expect(read.checkHost('hub')).toBe('hub')
  const listed = read.subjectAltName?.split(', ')
  expect(listed).toEqual(
    expect.arrayContaining(['DNS:localhost', 'DNS:10.0.0.5:4566', 'DNS:[fd00::5]:4566', 'DNS:hub:4566']),
  )
  expect(read.validFromDate.getTime()).toBe(now - dayMs)
  expect(read.verify(read.publicKey)).toBe(true)
  expect(pinOf(cert)).toBe(pinOf(key))
  expect(statSync(join(directory, 'tls/key.pem')).mode & 0o777).toBe(0o600)
})

test('keeps it while it is good', async () => {
  const first = await provideCertificate(directory, names, now)
  expect(await provideCertificate(directory, names, now + 600 * dayMs)).toEqual(first)
})

test.each([
  ['nears its end', {}, 700 * dayMs],
  ['lacks a new address', { addresses: ['10.0.0.6'] }, 0],
  ['is for another port', { port: 4567 }, 0],
])('renews it with the same key when it %s', async (_, changed, laterMs) => {
  const first = await provideCertificate(directory, names, now)
  const renewed = await provideCertificate(directory, { ...names, ...changed }, now + laterMs)
  expect(renewed.cert).not.toBe(first.cert)
  expect(pinOf(renewed.cert)).toBe(pinOf(first.cert))
})

test('makes it anew from the key when a crash left half of it', async () => {
  const first = await provideCertificate(directory, names, now)
  writeFileSync(join(directory, 'tls/cert.pem'), first.cert.slice(0, 100))
  const again = await provideCertificate(directory, names, now)
  expect(pinOf(again.cert)).toBe(pinOf(first.cert))
})

test('makes no other key in place of one that cannot be read', async () => {
  await provideCertificate(directory, names, now)
  writeFileSync(join(directory, 'tls/key.pem'), 'gone')
  await expect(provideCertificate(directory, names, now)).rejects.toThrow('holds no key that can be read')
})
