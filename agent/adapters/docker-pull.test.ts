import { expect, test } from 'vitest'
import { digestOf, LayerTally } from './docker-pull.ts'

const digests = [
  'nginx@sha256:11',
  'localhost:4566/web@sha256:22',
  'public.ecr.aws/docker/library/nginx@sha256:33',
]
test.each([
  ['nginx', 'sha256:11'],
  ['nginx:1.27', 'sha256:11'],
  ['docker.io/library/nginx:1.27', 'sha256:11'],
  ['localhost:4566/web:1', 'sha256:22'],
  ['localhost:4566/web', 'sha256:22'],
  ['public.ecr.aws/docker/library/nginx:latest', 'sha256:33'],
  ['web@sha256:44', 'sha256:44'],
  ['other:1', undefined],
])('the digest of %s is that of its own repository', (image, digest) => {
  expect(digestOf(image, digests)).toBe(digest)
})

test('the progress of a pull is that of its layers', () => {
  const tally = new LayerTally()
  expect(tally.add({ status: 'Pulling from library/nginx', id: '1.27' })).toBeUndefined()
  tally.add({ id: 'a', status: 'Already exists' })
  tally.add({ id: 'b', status: 'Pulling fs layer' })
  tally.add({ id: 'b', status: 'Downloading', progressDetail: { current: 10, total: 100 } })
  expect(tally.add({ id: 'c', status: 'Downloading', progressDetail: { current: 1, total: 5 } })).toEqual({
    layers: 3,
    layersDone: 1,
    bytes: 11,
    bytesTotal: 105,
  })
  tally.add({ id: 'b', status: 'Download complete' })
  // The bytes of the unpacking are others than those of the download.
  tally.add({ id: 'b', status: 'Extracting', progressDetail: { current: 3, total: 900 } })
  expect(tally.add({ id: 'b', status: 'Pull complete' })).toMatchObject({ layersDone: 2, bytes: 101 })
})
