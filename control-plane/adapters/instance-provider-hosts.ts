// The names of instances in /etc/hosts, between two marker lines that name the installation.
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

export interface HostEntry {
  readonly address: string
  readonly names: readonly string[]
}

const begin = (owner: string): string => `# BEGIN ${owner} (instances of Berth; written by it)`
const end = (owner: string): string => `# END ${owner}`

/** The text of a hosts file in which the owner's block holds these entries; without entries the block is gone. */
export function withHostsBlock(text: string, owner: string, entries: readonly HostEntry[]): string {
  const lines = text.split('\n')
  const from = lines.indexOf(begin(owner))
  const to = lines.indexOf(end(owner), from)
  if (from !== -1 && to !== -1) lines.splice(from, to - from + 1)
  if (entries.length === 0) return lines.join('\n')
  const block = entries.map(({ address, names }) => `${address}\t${names.join(' ')}`)
  const rest = lines.join('\n')
  const separator = rest === '' || rest.endsWith('\n') ? '' : '\n'
  return `${rest}${separator}${[begin(owner), ...block, end(owner)].join('\n')}\n`
}

/**
 * Makes the owner's block hold these entries. The file is written in place, because in a container it is a mount that
 * cannot be replaced. Throws what the file system says when it may not be written.
 */
export function writeHostsBlock(owner: string, entries: readonly HostEntry[], file = '/etc/hosts'): void {
  const before = readFileSync(file, 'utf8')
  const after = withHostsBlock(before, owner, entries)
  if (after === before) return
  const descriptor = openSync(file, 'r+')
  try {
    const bytes = Buffer.from(after)
    writeSync(descriptor, bytes, 0, bytes.length, 0)
    ftruncateSync(descriptor, bytes.length)
  } finally {
    closeSync(descriptor)
  }
}
