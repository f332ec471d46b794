import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { freePort } from '@berth/tools/control-plane.ts'
import { expect, test } from 'vitest'

const lines = (command: string, ...words: readonly string[]): string[] =>
  execFileSync(command, words, { encoding: 'utf8' }).split('\n')

/** What a Berth could leave on this machine: namespaces, links, rules, mounts, names, processes. */
function traces(): Record<string, readonly string[]> {
  return {
    namespaces: lines('ip', 'netns').filter((line) => line.includes('berth')),
    links: lines('ip', '-o', 'link').filter((line) => /berth|: bv/.test(line)),
    rules: [...lines('iptables', '-S'), ...lines('iptables', '-t', 'nat', '-S')].filter((line) =>
      line.includes('berth'),
    ),
    mounts: readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes('berth')),
    names: readFileSync('/etc/hosts', 'utf8')
      .split('\n')
      .filter((line) => line.includes('berth')),
    processes: lines('ps', '-eo', 'args').filter((line) =>
      /cli\/main\.ts up|instance\/main\.ts|agent\/main\.ts/.test(line),
    ),
  }
}

test('the walkthrough succeeds, and leaves nothing behind', { timeout: 280_000 }, async () => {
  const before = traces()
  const { status, stdout, stderr } = spawnSync('bash', ['tools/demo.sh'], {
    encoding: 'utf8',
    env: { ...process.env, EXIT: '1', PORT: String(await freePort()) },
  })
  expect({ status, stderr, stdout: status === 0 ? '' : stdout }).toEqual({
    status: 0,
    stderr: '',
    stdout: '',
  })
  expect(stdout).toContain('<h1>web v1</h1>')
  expect(traces()).toEqual(before)
})
