import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withHostsBlock, writeHostsBlock } from './instance-provider-hosts.ts'

const own = '127.0.0.1 localhost\n'
const one = [{ address: '172.31.5.7', names: ['a.internal', 'b.internal'] }]

test('adds the names of instances behind what is there', () => {
  expect(withHostsBlock(own, 'berth-1', one)).toBe(
    `${own}# BEGIN berth-1 (instances of Berth; written by it)\n172.31.5.7\ta.internal b.internal\n# END berth-1\n`,
  )
})

test('replaces its own block only, and leaves no trace without instances', () => {
  const both = withHostsBlock(withHostsBlock(own, 'berth-1', one), 'berth-2', one)
  const changed = withHostsBlock(both, 'berth-1', [{ address: '172.31.9.9', names: ['c.internal'] }])
  expect(changed.match(/172\.31\.5\.7/g)).toHaveLength(1)
  expect(withHostsBlock(withHostsBlock(changed, 'berth-1', []), 'berth-2', [])).toBe(own)
})

test('ends a last line that has no end before it adds its own', () => {
  expect(withHostsBlock('127.0.0.1 localhost', 'berth-1', one)).toMatch(/^127\.0\.0\.1 localhost\n# BEGIN/)
})

test('writes into the file that is there, which may be a mount', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hosts-'))
  const file = join(directory, 'hosts')
  writeFileSync(file, own)
  const { ino } = statSync(file)
  writeHostsBlock('berth-1', one, file)
  expect(readFileSync(file, 'utf8')).toContain('172.31.5.7\ta.internal')
  writeHostsBlock('berth-1', [], file)
  expect(readFileSync(file, 'utf8')).toBe(own)
  expect(statSync(file).ino).toBe(ino)
  rmSync(directory, { recursive: true })
})
