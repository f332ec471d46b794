/** What an instance type has. */
export interface InstanceType {
  readonly instanceType: string
  readonly vcpu: number
  readonly memoryMiB: number
  readonly architecture: 'x86_64' | 'arm64'
  readonly burstable: boolean
}

const gib = 1024
const t2Sizes = {
  nano: [1, 0.5],
  micro: [1, 1],
  small: [1, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
} as const
const burstableSizes = { ...t2Sizes, nano: [2, 0.5], micro: [2, 1], small: [2, 2] } as const
/** vCPUs of the sizes that families share; their memory is a family's GiB for each vCPU. */
const sizes = {
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
} as const
type Size = keyof typeof sizes

const gibPerVcpu: ReadonlyArray<readonly [families: string, gib: number, without: readonly Size[]]> = [
  ['m5 m5a m6i m6a m7i', 4, []],
  ['r5 r5a r6i r6a r7i', 8, []],
  ['c5a c6i c6a c7i', 2, []],
  ['c5', 2, ['8xlarge', '16xlarge']],
]
const gravitonGibPerVcpu: ReadonlyArray<readonly [families: string, gib: number]> = [
  ['m6g m7g', 4],
  ['r6g r7g', 8],
  ['c6g c7g', 2],
]

function* all(): Generator<InstanceType> {
  const burstable = [
    ['t2', t2Sizes, 'x86_64'],
    ['t3', burstableSizes, 'x86_64'],
    ['t3a', burstableSizes, 'x86_64'],
    ['t4g', burstableSizes, 'arm64'],
  ] as const
  for (const [family, table, architecture] of burstable)
    for (const [size, [vcpu = 0, memoryGib = 0]] of Object.entries<readonly number[]>(table))
      yield type(`${family}.${size}`, vcpu, memoryGib, architecture, true)
  for (const [families, ratio, without] of gibPerVcpu)
    for (const family of families.split(' ')) {
      for (const [size, vcpu] of Object.entries(sizes))
        if (!without.includes(size as Size))
          yield type(`${family}.${size}`, vcpu, vcpu * ratio, 'x86_64', false)
    }
  for (const size of ['9xlarge', '18xlarge'] as const) {
    const vcpu = size === '9xlarge' ? 36 : 72
    yield type(`c5.${size}`, vcpu, vcpu * 2, 'x86_64', false)
  }
  for (const [families, ratio] of gravitonGibPerVcpu)
    for (const family of families.split(' ')) {
      yield type(`${family}.medium`, 1, ratio, 'arm64', false)
      for (const [size, vcpu] of Object.entries(sizes))
        if (size !== '24xlarge') yield type(`${family}.${size}`, vcpu, vcpu * ratio, 'arm64', false)
    }
}

function type(
  instanceType: string,
  vcpu: number,
  memoryGib: number,
  architecture: InstanceType['architecture'],
  burstable: boolean,
): InstanceType {
  return { instanceType, vcpu, memoryMiB: memoryGib * gib, architecture, burstable }
}

/** The instance types there are, by name: the common general, compute and memory families, with AWS's figures. */
export const instanceTypes: ReadonlyMap<string, InstanceType> = new Map(
  [...all()].map((row) => [row.instanceType, row]),
)
