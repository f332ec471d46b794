import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isExecEnabled, toolboxPath } from '#engine/managed-agents.ts'
import type { TaskResource } from '#runtime/task-resources.ts'

/**
 * Runs a command in a container: `run TOOLBOX WORD…`. The image's own programs come first; one that it lacks, `/bin/sh`
 * too, is the toolbox's. The words for one that neither has are those of AWS.
 */
const runScript = `toolbox=$1
shift
PATH="\${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}:$toolbox/bin"
LANG="\${LANG:-C.UTF-8}"
export PATH LANG
case $1 in
*/*)
  found=$1
  tool="$toolbox/bin/\${1##*/}"
  problem="fork/exec $1: no such file or directory"
  ;;
*)
  found=
  IFS=:
  for place in $PATH; do
    [ -z "$found" ] && [ -f "$place/$1" ] && [ -x "$place/$1" ] && found="$place/$1"
  done
  unset IFS
  tool=
  problem="exec: \\"$1\\": executable file not found in \\$PATH"
  ;;
esac
[ -e "$found" ] || found=$tool
if [ -x "$found" ]; then
  shift
  exec "$found" "$@"
fi
echo "Unable to start command: Failed to start pty: $problem" >&2
exit 127
`

/**
 * The directory of a toolbox made of a static busybox: the program, a link for each of its applets under `bin`, and
 * `run`. It is made once and named by what is in it, so that containers keep the one they began with.
 */
export async function provideToolbox(busybox: string, directory: string): Promise<string> {
  const program = await readFile(busybox)
  const name = createHash('sha256').update(program).update(runScript).digest('hex').slice(0, 16)
  const toolbox = join(directory, name)
  if (await exists(join(toolbox, 'run'))) return toolbox
  await mkdir(directory, { recursive: true })
  const making = await mkdtemp(join(directory, 'making-'))
  try {
    await chmod(making, 0o755)
    await writeFile(join(making, 'busybox'), program, { mode: 0o755 })
    await mkdir(join(making, 'bin'))
    const { stdout } = await promisify(execFile)(busybox, ['--list'])
    for (const applet of stdout.split('\n'))
      if (applet !== '') await symlink('../busybox', join(making, 'bin', applet))
    await writeFile(join(making, 'run'), runScript, { mode: 0o755 })
    await rename(making, toolbox)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    // Another agent of this machine may have been quicker.
    if (!(await exists(join(toolbox, 'run')))) throw error
  }
  return toolbox
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Brings the toolbox read-only into the containers of tasks with execute command, where AWS has its own. */
export function toolboxResource(toolbox: string): TaskResource {
  return {
    name: 'toolbox',
    isNeeded: ({ task }) => (task.containers ?? []).some(isExecEnabled),
    provide: (record) =>
      Promise.resolve(
        Object.fromEntries(
          (record.task.containers ?? [])
            .filter(isExecEnabled)
            .map(({ name }) => [name, { binds: [`${toolbox}:${toolboxPath(record, name)}:ro`] }]),
        ),
      ),
  }
}
