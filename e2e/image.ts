import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Files of an image by path; executable where the path ends in `.sh` or lies under `cgi-bin`. */
export type ImageFiles = Readonly<Record<string, string>>

/**
 * An image of busybox and some files, as a tar that `docker load` reads and an OCI layout that skopeo does. Made without
 * a Docker Engine from the machine's own static busybox.
 */
export function makeImage(
  files: ImageFiles,
  command: readonly string[],
): { readonly layout: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'berth-image-'))
  const root = join(directory, 'root')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'tmp'))
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
  copyFileSync(busybox, join(root, 'bin', 'busybox'))
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n'))
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
    if (path.endsWith('.sh') || path.includes('cgi-bin')) chmodSync(file, 0o755)
  }
  const layer = execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-c', '.'], {
    maxBuffer: 64 * 1024 * 1024,
  })
  const layout = join(directory, 'layout')
  writeLayout(layout, layer, command)
  return { layout, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

function writeLayout(layout: string, layer: Buffer, command: readonly string[]): void {
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true })
  const blob = (bytes: Buffer | string, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(layout, 'blobs', 'sha256', hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(bytes) }
  }
  const layerBlob = blob(layer, 'application/vnd.oci.image.layer.v1.tar')
  const config = blob(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: command },
      rootfs: { type: 'layers', diff_ids: [layerBlob.digest] },
    }),
    'application/vnd.oci.image.config.v1+json',
  )
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = blob(
    JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layerBlob] }),
    mediaType,
  )
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
}
