import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A Docker daemon in a network namespace and a directory of its own, both gone with it. Needs root. */
export class OwnDockerd {
  readonly directory = mkdtempSync(join(tmpdir(), 'berth-dockerd-'))
  readonly host = `unix://${this.directory}/docker.sock`
  /** Holds the network namespace, which outlives the daemon as a host does. */
  #holder: ChildProcess | undefined
  #daemon: ChildProcess | undefined

  /** `more` are options of dockerd. */
  async start(more: readonly string[] = []): Promise<void> {
    const at = (name: string): string => join(this.directory, name)
    if (!this.#holder) {
      this.#holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up; exec sleep infinity'])
      await sleep(200)
    }
    // After a SIGKILL the pids in these files may be those of zombies, which dockerd would wait for.
    for (const stale of ['docker.pid', 'exec/containerd/containerd.pid']) rmSync(at(stale), { force: true })
    const log = openSync(at('log'), 'a')
    const options = ['--data-root', at('root'), '--exec-root', at('exec'), '-H', this.host, ...more]
    this.#daemon = spawn(
      'nsenter',
      [`--net=${this.namespace}`, 'dockerd', ...options, '-p', at('docker.pid'), '--bip', '10.199.1.1/24'],
      { stdio: ['ignore', log, log] },
    )
    closeSync(log)
    for (let attempt = 0; attempt < 200; attempt++) {
      try {
        this.docker('version')
        return
      } catch {
        await sleep(100)
      }
    }
    throw new Error(`dockerd did not start:\n${readFileSync(at('log'), 'utf8').slice(-2000)}`)
  }

  /** The path of its network namespace, once it has started. */
  get namespace(): string {
    return `/proc/${this.#holder?.pid}/ns/net`
  }

  /** Ends only the daemon, by `signal`, and waits until it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon
    if (!daemon) return
    const gone = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill(signal)
    await gone
    this.#daemon = undefined
  }

  /** The daemon stands still, as on a disk that does not answer, until it is `resume`d. */
  hang(): void {
    this.#daemon?.kill('SIGSTOP')
  }

  resume(): void {
    this.#daemon?.kill('SIGCONT')
  }

  /** All processes of the daemon and its containers end at once, and nothing is mounted any more, as after a loss of power. */
  async losePower(): Promise<void> {
    const ids = this.docker('ps', '--quiet').trim().split('\n').filter(Boolean)
    const pids = ids.length
      ? this.docker('inspect', '--format', '{{.State.Pid}}', ...ids)
          .trim()
          .split('\n')
      : []
    await this.end('SIGKILL')
    for (const pid of [...processesNaming(this.directory), ...pids.map(Number)]) killIfThere(pid)
    await sleep(500)
    this.#unmountAll()
    rmSync(join(this.directory, 'exec'), { recursive: true, force: true })
  }

  /** Ends the daemon with all its containers and removes what it left. */
  async remove(): Promise<void> {
    if (this.#daemon) {
      this.removeContainers()
      await this.end('SIGTERM')
    }
    this.#holder?.kill('SIGKILL')
    this.#unmountAll()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #unmountAll(): void {
    for (const line of readFileSync('/proc/self/mounts', 'utf8').trim().split('\n').toReversed()) {
      const mountPoint = line.split(' ')[1] ?? ''
      if (mountPoint.startsWith(this.directory)) execFileSync('umount', ['--lazy', mountPoint])
    }
  }

  removeContainers(): void {
    const ids = this.docker('ps', '--all', '--quiet').trim().split('\n').filter(Boolean)
    if (ids.length) this.docker('rm', '--force', ...ids)
  }

  docker(...words: readonly string[]): string {
    return execFileSync('docker', ['-H', this.host, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Runs a command in the daemon's network namespace, where published ports are. */
  within(...words: readonly string[]): string {
    return execFileSync('nsenter', [`--net=${this.namespace}`, ...words], { encoding: 'utf8' })
  }

  /** Makes an image of the machine's static busybox. */
  importBusybox(tag: string): void {
    const script = `mkdir -p image/bin image/tmp && cp /bin/busybox image/bin/ && for applet in sh sleep httpd cat echo wget dd tail true; do ln -sf busybox image/bin/$applet; done && tar -C image -c . | docker -H ${this.host} import - ${tag}`
    execFileSync('sh', ['-c', script], { cwd: this.directory, stdio: 'ignore' })
  }
}

/** The processes whose command line names a directory, the holder of its network namespace not among them. */
function processesNaming(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(directory)
      } catch {
        return false // it has ended meanwhile
      }
    })
    .map(Number)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
