import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** The floors of the house, and what each may rest on. A floor not named here may not be rested on at all. */
const floors: Readonly<Record<string, readonly string[]>> = {
  std: [],
  wire: ['std'],
  'agent-protocol': ['std'],
  registry: ['std', 'wire'],
  'object-store': ['std', 'wire'],
  'log-store': ['std', 'wire'],
  'control-plane/domain': ['std'],
  'control-plane/state': ['std', 'control-plane/domain'],
  'control-plane/api': [
    'std',
    'wire',
    'registry',
    'log-store',
    'control-plane/domain',
    'control-plane/state',
  ],
  'control-plane/engines': ['std', 'control-plane/domain', 'control-plane/state'],
  'control-plane/adapters': [
    'std',
    'wire',
    'agent-protocol',
    'registry',
    'object-store',
    'log-store',
    'control-plane/domain',
    'control-plane/state',
    'control-plane/api',
    'control-plane/engines',
    'instance',
  ],
  'agent/engine': ['std', 'agent-protocol'],
  'agent/runtime': ['std', 'agent-protocol', 'agent/engine'],
  'agent/adapters': ['std', 'wire', 'agent-protocol', 'agent/engine', 'agent/runtime'],
  instance: ['std', 'wire'],
}
/** Floors whose code runs to its end without waiting, so nothing can change under it halfway. */
const synchronous = ['control-plane/domain', 'control-plane/api']
/** Floors that take time, chance and the world from outside. */
const pure = [
  'control-plane/domain',
  'control-plane/state',
  'control-plane/api',
  'control-plane/engines',
  'agent/engine',
  'agent/runtime',
  'agent-protocol',
]
const worldly = /\b(?:Date\.now|Math\.random|setTimeout|setInterval|setImmediate|fetch)\(|\bnew Date\(\)/
/** Packages a floor may bring in from outside; of the AWS clients only their types, except in wire. */
const outside: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  std: ['node:crypto'],
  wire: [/^node:/, /^@smithy\//, /^@aws-sdk\//],
  'agent-protocol': [/^node:crypto$/],
  registry: [/^node:/],
  'object-store': [/^node:/],
  'log-store': [/^node:/],
  'control-plane/domain': ['croner', 'ipaddr.js', 'node:crypto'],
  'control-plane/state': ['node:crypto'],
  'control-plane/api': ['ipaddr.js', 'node:crypto', 'node:vm'],
  'control-plane/adapters': [/./],
  'agent/adapters': [/./],
  instance: [/./],
}

const files = globSync(
  '{std,wire,agent-protocol,registry,object-store,log-store,control-plane,agent,instance}/**/*.ts',
  {
    exclude: (name) => name.includes('node_modules'),
  },
).filter((file) => !/\.(?:test|bench)\.ts$/.test(file) && !file.includes('node_modules'))
const floorOf = (file: string): string | undefined =>
  Object.keys(floors).find((floor) => file.startsWith(`${floor}/`))
const resolve = (file: string, specifier: string): string =>
  specifier.replace(/^@berth\//, '').replace(/^#/, `${file.split('/')[0] ?? ''}/`)
const allows = (floor: string, specifier: string): boolean =>
  (outside[floor] ?? []).some((rule) =>
    typeof rule === 'string' ? rule === specifier : rule.test(specifier),
  )

/** Every file that stands on a floor, with its code free of comments. `main.ts` sees every floor and joins them. */
const rooms = files.flatMap((file) => {
  const floor = floorOf(file)
  if (!floor || file.endsWith('/main.ts')) return []
  return [{ file, floor, code: readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '') }]
})

test.each(rooms)('$file rests only on the floors below it', ({ file, floor, code }) => {
  const imports = [...code.matchAll(/^(import type|export type|import|export)\b[^'"]*?\bfrom\s*'([^']+)'/gm)]
  const bare = [...code.matchAll(/^import\s*'([^']+)'/gm)].map((match) => match[1] ?? '')
  const strangers = imports
    .filter(
      ([, kind = '', specifier = '']) => !(kind.endsWith('type') && specifier.startsWith('@aws-sdk/client-')),
    )
    .map(([, , specifier = '']) => specifier)
    .concat(bare)
    .filter((specifier) => {
      if (specifier.startsWith('./')) return false
      const target = floorOf(resolve(file, specifier))
      return target === undefined
        ? !allows(floor, specifier)
        : target !== floor && !floors[floor]?.includes(target)
    })
  expect(strangers).toEqual([])
})

/** The one file of the synchronous floors that names promises: the interface of what serves bytes that are not rows. */
const mayPromise = 'control-plane/api/data-planes.ts'
test.each(rooms.filter(({ floor, file }) => synchronous.includes(floor) && file !== mayPromise))(
  '$file waits for nothing',
  ({ code }) => {
    expect(code.replaceAll(/Promise<Output>/g, '')).not.toMatch(/\b(?:async|await|Promise)\b/)
  },
)

test.each(rooms.filter(({ floor }) => pure.includes(floor)))(
  '$file takes time, chance and the world from outside',
  ({ code }) => {
    expect(code).not.toMatch(worldly)
  },
)
