/** The image of pause containers: nothing but a static busybox, made here, so that none has to be pulled. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { DockerRuntime } from './docker.ts'

/** Waits for good, ends at once when asked to, and reaps what it inherits where it is the first of its processes. */
const script = 'trap "exit 0" TERM INT; /busybox sleep 2147483647 & wait'
const repository = 'berth/pause'
const blockBytes = 512

/**
 * Makes the image where the Docker Engine does not have it, and gives its name; the tag says what is in it, so that
 * another busybox makes another image.
 */
export function pauseImage(docker: DockerRuntime, busybox: string): () => Promise<string> {
  let tag: string | undefined
  return async () => {
    if (tag !== undefined && (await docker.inspectImage(`${repository}:${tag}`)))
      return `${repository}:${tag}`
    const program = await readFile(busybox)
    tag = createHash('sha256').update(program).update(script).digest('hex').slice(0, 16)
    const name = `${repository}:${tag}`
    if (!(await docker.inspectImage(name)))
      await docker.importImage(repository, tag, oneFileTar('busybox', program), [
        `ENTRYPOINT ${JSON.stringify(['/busybox', 'sh', '-c', script])}`,
      ])
    return name
  }
}

/** A tar archive of one executable file. */
function oneFileTar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(blockBytes)
  header.write(name, 0)
  header.write('0000755\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        0', 148)
  header.write('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * blockBytes)])
}
