import type { Clock } from '@berth/std/clock.ts'
import {
  type Catalog,
  CatalogError,
  type CatalogRepository,
  type ManifestRecord,
} from '@berth/registry/catalog.ts'
import { AwsError } from '@berth/wire/error.ts'
import { readRegistryLogin } from '#api/ecr/authorization.ts'
import { findImage, removeImage, storeImage } from '#api/ecr/image-store.ts'
import { imageOf } from '#api/ecr/manifest.ts'
import { formatArn } from '#domain/arn.ts'
import type { Image } from '#domain/image.ts'
import type { Store } from '#state/store.ts'

const ecrHost = /^(\d{12})\.dkr[.-]ecr\.([a-z0-9-]+)\./

/** The registry's catalog over the rows of ECR: what docker pushes is what the API shows, and the other way round. */
export function registryCatalog({ store, clock }: { readonly store: Store; readonly clock: Clock }): Catalog {
  const layerKey = (repository: CatalogRepository, digest: string): string =>
    `${repository.repositoryArn}@${digest}`
  return {
    authenticate(authorization, host) {
      const login = readRegistryLogin(store, authorization, clock.now())
      const [, accountId, region] = ecrHost.exec(host) ?? []
      if (!login || accountId === undefined || region === undefined) return login
      return accountId === login.accountId ? { accountId, region } : undefined
    },
    repository: (scope, name) => store.find('repository', formatArn(scope, 'ecr', `repository/${name}`)),
    hasLayer: (repository, digest) => store.find('layer', layerKey(repository, digest)) !== undefined,
    async addLayer({ repositoryArn }, digest, sizeInBytes) {
      store.update((tx) => {
        if (!tx.find('repository', repositoryArn))
          throw new CatalogError('NAME_UNKNOWN', 'the repository is gone', 404)
        tx.put('layer', { repositoryArn, digest, sizeInBytes, uploadedAt: clock.now() })
      })
      await store.durable()
    },
    async removeLayer(repository, digest) {
      store.update((tx) => tx.delete('layer', layerKey(repository, digest)))
      await store.durable()
    },
    manifest(repository, reference) {
      const image = findImage(store, repository.repositoryArn, reference)
      return image && showManifest(image)
    },
    pulled(repository, digest) {
      store.update((tx) => {
        const image = tx.find('image', layerKey(repository, digest))
        if (image) tx.put('image', { ...image, lastRecordedPullTime: clock.now() })
      })
    },
    async putManifest({ repositoryArn }, record, tag) {
      store.update((tx) => {
        const repository = tx.find('repository', repositoryArn)
        if (!repository) throw new CatalogError('NAME_UNKNOWN', 'the repository is gone', 404)
        try {
          storeImage(tx, repository, imageOf(record, clock.now()), tag)
        } catch (error) {
          // A push of what is there already is a success to docker, where the API calls it a mistake.
          if (!(error instanceof AwsError)) throw error
          if (error.code !== 'ImageAlreadyExistsException')
            throw new CatalogError('TAG_INVALID', error.message)
        }
      })
      await store.durable()
    },
    async deleteManifest({ repositoryArn }, reference) {
      const removed = store.update((tx) => removeImage(tx, repositoryArn, reference))
      await store.durable()
      return removed !== undefined
    },
    tags: ({ repositoryArn }) =>
      store
        .by('image', 'repository', repositoryArn)
        .flatMap((image) => image.tags)
        .toSorted(),
    referrers: (repository, digest) =>
      store.by('image', 'subject', layerKey(repository, digest)).map(showManifest),
  }
}

function showManifest(image: Image): ManifestRecord {
  return {
    digest: image.imageDigest,
    mediaType: image.mediaType,
    manifest: image.manifest,
    blobs: image.blobs,
    manifests: image.manifests,
    size: image.sizeInBytes,
    ...(image.artifactType !== undefined && { artifactType: image.artifactType }),
    ...(image.subject !== undefined && { subject: image.subject }),
    ...(image.annotations && { annotations: image.annotations }),
  }
}
