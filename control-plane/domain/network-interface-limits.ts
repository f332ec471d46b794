/**
 * How many network interfaces an instance can carry, by the size in its type's name, its own included. The families that
 * Berth has agree but for t2's larger sizes and the smallest ones of m, c and r.
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-type-specifications.html
 */
const interfacesBySize: Readonly<Record<string, number>> = {
  nano: 2,
  micro: 2,
  small: 3,
  medium: 3,
  large: 3,
  xlarge: 4,
  '2xlarge': 4,
  '4xlarge': 8,
  '8xlarge': 8,
  '9xlarge': 8,
  '12xlarge': 8,
  '16xlarge': 15,
  '18xlarge': 15,
  '24xlarge': 15,
}
const exceptions: Readonly<Record<string, number>> = {
  't2.xlarge': 3,
  't2.2xlarge': 3,
  't3a.small': 2,
}
const smallestOfGraviton = 2

/**
 * The tasks with interfaces that an instance takes with the account setting `awsvpcTrunking`, by size; burstable types
 * know no trunking. AWS's later generations take more at some of the larger sizes.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/eni-trunking-supported-instance-types.html
 */
const trunkedBySize: Readonly<Record<string, number>> = {
  medium: 4,
  large: 10,
  xlarge: 20,
  '2xlarge': 40,
  '4xlarge': 60,
  '8xlarge': 60,
  '9xlarge': 60,
  '12xlarge': 60,
  '16xlarge': 120,
  '18xlarge': 120,
  '24xlarge': 120,
}

/** How many tasks with a network interface of their own an instance of that type takes; undefined for a type not known. */
export function taskInterfacesMax(instanceType: string, trunking: boolean): number | undefined {
  const [family = '', size = ''] = instanceType.split('.')
  const burstable = family.startsWith('t')
  const trunked = trunking && !burstable ? trunkedBySize[size] : undefined
  if (trunked !== undefined) return trunked
  const graviton = size === 'medium' && !burstable ? smallestOfGraviton : undefined
  const all = exceptions[instanceType] ?? graviton ?? interfacesBySize[size]
  return all === undefined ? undefined : all - 1
}
