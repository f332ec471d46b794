import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ecsConfig } from './user-data.ts'

const read = (text: string): Readonly<Record<string, string>> =>
  ecsConfig(Buffer.from(text).toString('base64'))

test.each([
  ['an echo', '#!/bin/bash\necho ECS_CLUSTER=demo >> /etc/ecs/ecs.config\n', { ECS_CLUSTER: 'demo' }],
  [
    'an echo in quotes',
    '#!/bin/bash\necho "ECS_CLUSTER=demo" >> /etc/ecs/ecs.config',
    { ECS_CLUSTER: 'demo' },
  ],
  [
    'an echo of JSON',
    `#!/bin/bash\necho 'ECS_INSTANCE_ATTRIBUTES={"stack":"prod"}' >> /etc/ecs/ecs.config`,
    { ECS_INSTANCE_ATTRIBUTES: '{"stack":"prod"}' },
  ],
  [
    'an echo with a newline escape',
    `#!/bin/bash\necho -e "ECS_CLUSTER=demo\\nECS_RESERVED_MEMORY=64" > /etc/ecs/ecs.config`,
    { ECS_CLUSTER: 'demo', ECS_RESERVED_MEMORY: '64' },
  ],
  [
    'a here-document',
    `#!/bin/bash\ncat <<'EOF' >> /etc/ecs/ecs.config\nECS_CLUSTER=demo\n# a remark\nECS_ENABLE_TASK_IAM_ROLE=true\nEOF\necho done`,
    { ECS_CLUSTER: 'demo', ECS_ENABLE_TASK_IAM_ROLE: 'true' },
  ],
  ['a here-document elsewhere', `#!/bin/bash\ncat <<EOF > /tmp/x\nECS_CLUSTER=demo\nEOF`, {}],
  ['tee', '#!/bin/bash\necho ECS_CLUSTER=demo | sudo tee -a /etc/ecs/ecs.config', { ECS_CLUSTER: 'demo' }],
  ['plain settings', 'ECS_CLUSTER=demo\nECS_LOGLEVEL=debug', { ECS_CLUSTER: 'demo', ECS_LOGLEVEL: 'debug' }],
  ['a commented line', '#!/bin/bash\n# echo ECS_CLUSTER=demo >> /etc/ecs/ecs.config', {}],
  ['a script that writes no setting', '#!/bin/bash\nECS_CLUSTER=demo\nyum update', {}],
  [
    'the last of two',
    '#!/bin/sh\necho ECS_CLUSTER=a >> /etc/ecs/ecs.config\necho ECS_CLUSTER=b >> /etc/ecs/ecs.config',
    { ECS_CLUSTER: 'b' },
  ],
  ["the agent's JSON", '{"ECSAgentConfiguration":{"Cluster":"demo"}}', { ECS_CLUSTER: 'demo' }],
])('finds the settings in %s', (_, text, expected) => {
  expect(read(text)).toEqual(expected)
})

test('reads each part of a MIME multipart text', () => {
  const text = [
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="==B=="',
    '',
    '--==B==',
    'Content-Type: text/cloud-config; charset="us-ascii"',
    '',
    'packages: [jq]',
    '',
    '--==B==',
    'Content-Type: text/x-shellscript; charset="us-ascii"',
    '',
    '#!/bin/bash',
    'echo ECS_CLUSTER=demo >> /etc/ecs/ecs.config',
    '--==B==--',
  ].join('\r\n')
  expect(read(text)).toEqual({ ECS_CLUSTER: 'demo' })
})

test('has nothing to say without user data', () => {
  expect(ecsConfig(undefined)).toEqual({})
})
