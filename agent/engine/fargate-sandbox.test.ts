import { fakeContainer, fakeTask } from '#runtime/fake-control-plane.ts'
import { expect, test } from 'vitest'
import { sandboxContributions, sandboxFault } from './fargate-sandbox.ts'

const withHost = (hostConfig: object) =>
  fakeContainer('web', {
    dockerConfig: { config: '{}', hostConfig: JSON.stringify(hostConfig), version: '1.17' },
  })
const awsvpc = { networkMode: 'awsvpc' }
const options = { bindsStorage: true, openFilesMax: 65_535 }

test.each([
  [{}, 'network mode bridge is not allowed on Fargate'],
  [{ networkMode: 'host' }, 'network mode host is not allowed on Fargate'],
  [{ ...awsvpc, pidMode: 'host' }, 'namespaces of the host are not allowed on Fargate'],
  [
    { ...awsvpc, associations: [{ type: 'gpu', name: '0', containers: ['web'] }] },
    'devices of the host are not allowed on Fargate',
  ],
  [
    { ...awsvpc, volumes: [{ name: 'etc', type: 'host', host: { sourcePath: '/etc' } }] },
    'volume etc is not allowed on Fargate',
  ],
  [{ ...awsvpc, pidMode: 'task', volumes: [{ name: 'own', type: 'host', host: {} }] }, undefined],
] as const)('a task with %j: %s', (more, fault) => {
  expect(sandboxFault(fakeTask('one', [fakeContainer('web')], more))).toBe(fault)
})

test.each([
  [{ Privileged: true }, 'container web: privileged is not allowed on Fargate'],
  [{ CapAdd: ['SYS_ADMIN'] }, 'container web: the capability SYS_ADMIN is not allowed on Fargate'],
  [{ Binds: ['/:/host'] }, 'container web: Binds is not allowed on Fargate'],
  [{ SecurityOpt: ['seccomp=unconfined'] }, 'container web: SecurityOpt is not allowed on Fargate'],
  [{ PidMode: 'host' }, 'container web: PidMode is not allowed on Fargate'],
  [{ Runtime: 'runc' }, 'container web: Runtime is not allowed on Fargate'],
  [{ CapAdd: ['SYS_PTRACE'], CapDrop: ['ALL'], Binds: [], ReadonlyRootfs: true }, undefined],
])('a container with %j: %s', (hostConfig, fault) => {
  expect(sandboxFault(fakeTask('one', [withHost(hostConfig)], awsvpc))).toBe(fault)
})

test('what is written and opened is bounded, and the runtime is the one that is named', () => {
  const task = fakeTask('one', [fakeContainer('web')], { ...awsvpc, ephemeralStorageGiB: 21 })
  expect(sandboxContributions(task, { ...options, ociRuntime: 'runsc' })).toEqual({
    '*': { hostConfig: { Runtime: 'runsc', StorageOpt: { size: '21G' } } },
    web: { hostConfig: { Ulimits: [{ Name: 'nofile', Soft: 65_535, Hard: 65_535 }] } },
  })
  expect(sandboxContributions(task, { ...options, bindsStorage: false })['*']).toEqual({ hostConfig: {} })
})

test('a definition that says how many files may be open is left as it is, other limits stay', () => {
  const limit = (Name: string) => ({ Name, Soft: 1, Hard: 2 })
  const of = (name: string) =>
    sandboxContributions(fakeTask('one', [withHost({ Ulimits: [limit(name)] })], awsvpc), options)
  expect(of('nofile')).toEqual({ '*': { hostConfig: {} } })
  expect(of('core')['web']).toMatchObject({ hostConfig: { Ulimits: [limit('core'), { Name: 'nofile' }] } })
})
