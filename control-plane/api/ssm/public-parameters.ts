/** The parameters that AWS publishes, as far as they lead to what there is here: the one image of instances. */
import type { Parameter as ParameterShape } from '@aws-sdk/client-ssm'
import { builtInImage } from '#api/ec2/machine.ts'
import type { Scope } from '#domain/arn.ts'

const root = '/aws/service/ecs/optimized-ami'
/** Instances of every image are the same, so each of AWS's names leads to the same one. */
const variants = [
  'amazon-linux-2',
  'amazon-linux-2/arm64',
  'amazon-linux-2/kernel-5.10',
  'amazon-linux-2/kernel-5.10/arm64',
  'amazon-linux-2023',
  'amazon-linux-2023/arm64',
]
const plainImages = [
  'al2023-ami-kernel-default-x86_64',
  'al2023-ami-kernel-default-arm64',
  'amzn2-ami-hvm-x86_64-gp2',
  'amzn2-ami-hvm-arm64-gp2',
].map((name) => `/aws/service/ami-amazon-linux-latest/${name}`)

const facts = {
  schema_version: 1,
  image_name: builtInImage.Name,
  image_id: builtInImage.ImageId,
  image_version: builtInImage.CreationDate.slice(0, 10).replaceAll('-', ''),
  os: 'Linux',
  ecs_runtime_version: 'Docker, that of the machine',
  ecs_agent_version: '1.105.0',
  source_image_name: builtInImage.Name,
}

const published: ReadonlyMap<string, { readonly value: string; readonly dataType: string }> = new Map([
  ...variants.flatMap((variant) => {
    const recommended = `${root}/${variant}/recommended`
    return [
      [recommended, { value: JSON.stringify(facts), dataType: 'text' }] as const,
      ...Object.entries(facts).map(
        ([name, value]) =>
          [
            `${recommended}/${name}`,
            { value: String(value), dataType: name === 'image_id' ? 'aws:ec2:image' : 'text' },
          ] as const,
      ),
    ]
  }),
  ...plainImages.map((name) => [name, { value: builtInImage.ImageId, dataType: 'aws:ec2:image' }] as const),
])

/** A parameter of AWS's own, by its name or its ARN, in which there is no account; undefined for any other. */
export function publicParameter({ region }: Scope, name: string): ParameterShape | undefined {
  const prefix = `arn:aws:ssm:${region}::parameter`
  const path = name.startsWith(prefix) ? name.slice(prefix.length) : name
  const found = published.get(path)
  return (
    found && {
      Name: path,
      Type: 'String',
      Value: found.value,
      Version: 1,
      LastModifiedDate: new Date(Date.parse(builtInImage.CreationDate)),
      ARN: `${prefix}${path}`,
      DataType: found.dataType,
    }
  )
}

export function publicParametersUnder(scope: Scope, path: string, recursive: boolean): ParameterShape[] {
  // Only who names AWS's own hierarchy sees it.
  if (!path.startsWith('/aws/')) return []
  return [...published.keys()]
    .filter((name) => name.startsWith(`${path}/`))
    .filter((name) => recursive || !name.slice(path.length + 1).includes('/'))
    .flatMap((name) => publicParameter(scope, name) ?? [])
}
