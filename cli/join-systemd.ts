import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { terminalCode } from './join-host.ts'

const unit = 'berth-agent.service'
const unitFile = `/etc/systemd/system/${unit}`

/** Whether systemd runs this machine: https://www.freedesktop.org/software/systemd/man/sd_booted.html */
export const isSystemd = (): boolean => existsSync('/run/systemd/system')

const hasUnit = (): boolean => existsSync(unitFile)

/** The service that keeps the agent of a joined host running. `berth` is the command's path, `data` its `--data`. */
export function unitText(berth: string, data: string): string {
  return `[Unit]
Description=Berth: the ECS agent of this host
Documentation=file://${resolve(berth, '../docs/joining.md')}
After=network-online.target docker.service
Wants=network-online.target docker.service

[Service]
ExecStart=${quoted(berth)} join --foreground --data ${quoted(data)}
Restart=always
RestartSec=2
RestartPreventExitStatus=${terminalCode}
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
`
}

/** As systemd.service(5) reads words: in quotes, with a percent sign doubled and a dollar too. */
const quoted = (word: string): string =>
  `"${word
    .replaceAll(/["\\]/g, (letter) => `\\${letter}`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')}"`

/** Installs the service and starts it, now and at each boot. Throws what systemctl says. */
export function startUnit(berth: string, data: string): void {
  writeFileSync(unitFile, unitText(berth, data), { mode: 0o644 })
  systemctl('daemon-reload')
  systemctl('enable', unit)
  systemctl('restart', unit)
}

/** Stops the service and removes it; one that is not there is fine. */
export function removeUnit(): void {
  if (!hasUnit()) return
  if (isSystemd()) systemctl('disable', '--now', unit)
  rmSync(unitFile, { force: true })
  if (isSystemd()) systemctl('daemon-reload')
}

function systemctl(...words: readonly string[]): void {
  execFileSync('systemctl', [...words], { stdio: ['ignore', 'ignore', 'pipe'] })
}
