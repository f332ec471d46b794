import { digestOf, isDigest } from './digest.ts'
import { CatalogError, type ManifestRecord } from './catalog.ts'

export const manifestBytesMax = 4 * 1024 * 1024

const imageTypes = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
])
export const indexTypes = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
])

interface Descriptor {
  readonly mediaType?: string
  readonly digest: string
  readonly size: number
}

/**
 * What a manifest says, checked. Throws `MANIFEST_INVALID` when it is no image manifest or index of schema 2.
 * Rules: https://github.com/opencontainers/image-spec/blob/main/manifest.md and image-index.md.
 */
export function readManifest(text: string, contentType: string | undefined): ManifestRecord {
  const manifest = parseObject(text)
  if (manifest['schemaVersion'] !== 2) throw invalid('only manifests of schemaVersion 2 are supported')
  const declared = typeof manifest['mediaType'] === 'string' ? manifest['mediaType'] : undefined
  const mediaType = declared ?? contentType?.split(';')[0]?.trim()
  if (mediaType === undefined) throw invalid('the manifest has no media type')
  if (declared !== undefined && contentType !== undefined && contentType.split(';')[0]?.trim() !== declared)
    throw invalid(`the manifest says mediaType ${declared}, the request ${contentType}`)
  const isIndex = indexTypes.has(mediaType)
  if (!isIndex && !imageTypes.has(mediaType))
    throw invalid(`manifests of the type ${mediaType} are not supported`)

  const children = isIndex ? descriptors(manifest['manifests'], 'manifests') : []
  const config = isIndex ? undefined : descriptor(manifest['config'], 'config')
  const layers = isIndex ? [] : descriptors(manifest['layers'], 'layers')
  const subject = manifest['subject'] === undefined ? undefined : descriptor(manifest['subject'], 'subject')
  const annotations = stringMap(manifest['annotations'])
  const artifactType =
    typeof manifest['artifactType'] === 'string'
      ? manifest['artifactType']
      : isIndex
        ? undefined
        : config?.mediaType
  return {
    digest: digestOf(text),
    mediaType,
    manifest: text,
    blobs: [...new Set([config, ...layers].flatMap((item) => (item ? [item.digest] : [])))],
    manifests: [...new Set(children.map((child) => child.digest))],
    size: [config, ...layers].reduce((sum, item) => sum + (item?.size ?? 0), 0),
    ...(artifactType !== undefined && { artifactType }),
    ...(subject && { subject: subject.digest }),
    ...(annotations && { annotations }),
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('the manifest is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('the manifest is no object')
  return value as Record<string, unknown>
}

function descriptors(value: unknown, name: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`${name} must be a list`)
  return value.map((item, index) => descriptor(item, `${name}[${index}]`))
}

function descriptor(value: unknown, name: string): Descriptor {
  const { digest, size, mediaType } = (value ?? {}) as Record<string, unknown>
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${name} has no sha256 digest`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${name} has no size`)
  return { digest, size, ...(typeof mediaType === 'string' && { mediaType }) }
}

function stringMap(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function invalid(message: string): CatalogError {
  return new CatalogError('MANIFEST_INVALID', message)
}
