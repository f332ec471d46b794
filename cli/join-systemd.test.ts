import { expect, test } from 'vitest'
import { unitText } from './join-systemd.ts'

test('starts the agent after Docker at each boot, again when it ends, and not when it asks not to be', () => {
  const text = unitText('/opt/berth/berth', '/var/lib/berth')
  expect(text).toContain('ExecStart="/opt/berth/berth" join --foreground --data "/var/lib/berth"\n')
  for (const line of [
    'After=network-online.target docker.service',
    'Restart=always',
    'RestartPreventExitStatus=5',
    'WantedBy=multi-user.target',
  ])
    expect(text.split('\n')).toContain(line)
})

test('writes any path so that systemd reads it back', () => {
  expect(unitText('/opt/a b/berth', '/data/100%/"$x"')).toContain(
    'ExecStart="/opt/a b/berth" join --foreground --data "/data/100%%/\\"$$x\\""\n',
  )
})
