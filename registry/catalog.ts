/** A repository as the registry's endpoints see it. */
export interface CatalogRepository {
  readonly repositoryArn: string
  readonly repositoryName: string
  readonly accountId: string
}

/** A manifest with what it names. */
export interface ManifestRecord {
  readonly digest: string
  readonly mediaType: string
  readonly artifactType?: string
  /** The exact text pushed. */
  readonly manifest: string
  readonly blobs: readonly string[]
  readonly manifests: readonly string[]
  readonly subject?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly size: number
}

/** Whose repositories a request means: the account and region its login was made for. */
export interface RegistryScope {
  readonly accountId: string
  readonly region: string
}

/** Thrown by a catalog that refuses; `code` is the OCI distribution specification's. */
export class CatalogError extends Error {
  readonly code: 'TAG_INVALID' | 'MANIFEST_INVALID' | 'DENIED' | 'NAME_UNKNOWN'
  readonly httpStatus: number
  constructor(code: CatalogError['code'], message: string, httpStatus = 400) {
    super(message)
    this.code = code
    this.httpStatus = httpStatus
  }
}

/**
 * What repositories there are and what is in them. The control plane implements it over its rows; a promise resolves
 * when the change is durable.
 */
export interface Catalog {
  /** Whose the `Authorization` header is; undefined when it is not a valid login. `host` may name the account. */
  authenticate(authorization: string | undefined, host: string): RegistryScope | undefined
  repository(scope: RegistryScope, name: string): CatalogRepository | undefined
  hasLayer(repository: CatalogRepository, digest: string): boolean
  addLayer(repository: CatalogRepository, digest: string, size: number): Promise<void>
  removeLayer(repository: CatalogRepository, digest: string): Promise<void>
  /** The manifest a tag or digest names. */
  manifest(repository: CatalogRepository, reference: string): ManifestRecord | undefined
  /** Notes that somebody pulled it. */
  pulled(repository: CatalogRepository, digest: string): void
  putManifest(repository: CatalogRepository, record: ManifestRecord, tag: string | undefined): Promise<void>
  /** Removes a tag, or a manifest with its tags; false when there was none. */
  deleteManifest(repository: CatalogRepository, reference: string): Promise<boolean>
  /** Every tag in lexical order. */
  tags(repository: CatalogRepository): readonly string[]
  referrers(repository: CatalogRepository, digest: string): readonly ManifestRecord[]
}
