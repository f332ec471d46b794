import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { OwnDockerd } from './own-dockerd.ts'

const execute = promisify(execFile)

/** A machine that is no instance of Berth's: a network namespace with a Docker Engine, and a cable to this machine. */
export class Machine {
  readonly docker = new OwnDockerd()
  readonly data = mkdtempSync(join(tmpdir(), 'berth-machine-'))
  /** This machine's end of the cable. */
  readonly near: string
  readonly far: string
  readonly #link: string

  /** `subnet` is the third byte of its addresses. */
  constructor(subnet: number) {
    this.near = `10.197.${subnet}.1`
    this.far = `10.197.${subnet}.2`
    this.#link = `bjoin${subnet}`
  }

  /** The cable alone: this machine has its address from then on. */
  plugIn(): void {
    const peer = `${this.#link}p`
    const ip = (...words: readonly string[]): void => void execFileSync('ip', [...words], { stdio: 'pipe' })
    ip('link', 'add', this.#link, 'type', 'veth', 'peer', 'name', peer)
    ip('addr', 'add', `${this.near}/30`, 'dev', this.#link)
    ip('link', 'set', this.#link, 'up')
  }

  async start(): Promise<void> {
    await this.docker.start()
    const peer = `${this.#link}p`
    execFileSync('ip', ['link', 'set', peer, 'netns', /\d+/.exec(this.docker.namespace)?.[0] ?? ''])
    this.docker.within('ip', 'addr', 'add', `${this.far}/30`, 'dev', peer)
    this.docker.within('ip', 'link', 'set', peer, 'up')
    // Machines have one; without it the kernel sends nothing to 169.254.170.2, not even to be redirected.
    this.docker.within('ip', 'route', 'add', 'default', 'via', this.near)
  }

  /** Runs `berth` there. Rejects with its standard error. */
  async berth(...words: readonly string[]): Promise<string> {
    const command = [`--net=${this.docker.namespace}`, './berth', ...words, '--data', this.data]
    const { stdout, stderr } = await execute('nsenter', command, { timeout: 120_000 })
    return `${stdout}${stderr}`
  }

  /** Of the process that runs the host. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'join/host.pid'), 'utf8'))
  }

  /** What `berth leave` should have taken away. */
  left(): string[] {
    const rules = ['-t nat -S', '-S']
      .flatMap((words) => this.docker.within('iptables', ...words.split(' ')).split('\n'))
      .filter((line) => /169\.254\.170\.2|51678/.test(line))
    const processes = this.#processes()
    const containers = this.docker.docker('ps', '--all', '--quiet').split('\n').filter(Boolean)
    return [...rules, ...processes, ...containers, ...(existsSync(join(this.data, 'join')) ? ['files'] : [])]
  }

  agents(): string[] {
    return this.#processes().filter((line) => line.includes('agent/main.ts'))
  }

  #processes(): string[] {
    return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(this.data))
  }

  async remove(): Promise<void> {
    await this.berth('leave', '--force').catch(() => undefined)
    await this.docker.remove().catch(() => undefined)
    execFileSync('sh', ['-c', `ip link del ${this.#link} 2>/dev/null || true`])
    rmSync(this.data, { recursive: true, force: true })
  }
}
