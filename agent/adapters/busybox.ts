/** A statically linked busybox of the host: one program that runs in any container, whatever its image holds. */
import { open } from 'node:fs/promises'

const places = ['/bin/busybox', '/usr/bin/busybox', '/usr/lib/berth/busybox', '/bin/busybox-static']
const elfMagic = 0x7f_45_4c_46
const programInterpreter = 3

/**
 * The path of the host's static busybox: what BERTH_BUSYBOX names, else where distributions put it. Undefined when there
 * is none that is static; on Debian the package busybox-static brings it.
 */
export async function findBusybox(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const given = environment['BERTH_BUSYBOX']
  for (const path of given ? [given] : places) if (await isStatic(path)) return path
  return undefined
}

/** Whether a file is a 64-bit little-endian ELF program that asks for no interpreter, which is how a dynamic one starts. */
export async function isStatic(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return false
  const read = async (length: number, position: number): Promise<Buffer> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  }
  try {
    const header = await read(64, 0)
    const isElf64 = header.length === 64 && header.readUInt32BE(0) === elfMagic && header[4] === 2
    if (!isElf64 || header[5] !== 1) return false
    const size = header.readUInt16LE(54)
    const count = header.readUInt16LE(56)
    const segments = await read(size * count, Number(header.readBigUInt64LE(32)))
    if (size < 4 || segments.length < size * count) return false
    for (let at = 0; at < segments.length; at += size)
      if (segments.readUInt32LE(at) === programInterpreter) return false
    return true
  } finally {
    await file.close()
  }
}
