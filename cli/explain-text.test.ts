import type { Explanation } from '@berth/control-plane/api/ecs/explain/explain.ts'
import { expect, test } from 'vitest'
import { explanationText } from './explain-text.ts'

const arn = (id: string): string => `arn:aws:ecs:us-east-1:000000000000:container-instance/demo/${id}`
const explanation: Explanation = {
  operation: 'RunTask',
  outcome: 'PARTLY PLACED',
  verdict: 'RunTask would place 1 of 2 tasks.',
  tasksCount: 2,
  placements: [
    {
      when: 'WHEN FULL',
      capacityProvider: 'spot',
      task: {
        demand: { cpu: 256, memoryMiB: 512, gpu: 1, ports: [{ protocol: 'udp', port: 53 }] },
        group: 'family:web',
        launchType: 'EC2',
        requiresAttributes: [],
      },
      placementConstraints: [],
      placementStrategy: [{ type: 'spread', field: 'instanceId' }, { type: 'random' }],
      instancesCount: 3,
      eligibleCount: 1,
      candidatesCount: 2,
      filters: [
        { filter: 'STATUS', asked: 3, ruledOut: 1 },
        { filter: 'RESOURCE:MEMORY', asked: 2, ruledOut: 1 },
      ],
      expressions: [
        {
          expression: 'a and b',
          matched: 1,
          terms: [
            { term: 'a', matched: 2 },
            { term: 'b', matched: 1 },
          ],
        },
      ],
      instances: [
        {
          containerInstanceArn: arn('one'),
          ec2InstanceId: 'i-1',
          place: 1,
          scores: [{ strategy: 'spread(instanceId)', value: 0 }],
        },
        { containerInstanceArn: arn('two'), reason: 'RESOURCE:MEMORY', detail: 'needs 512, 1 is free' },
        { containerInstanceArn: arn('three'), reason: 'STATUS', detail: 'is DRAINING' },
      ],
    },
  ],
}

test('says the verdict first, then what was asked, and every instance in its place', () => {
  expect(explanationText(explanation)).toBe(`RunTask would place 1 of 2 tasks.

task       family:web · 256 CPU units · 512 MiB · 1 GPUs · ports 53/udp · launch type EC2
provider   spot
instances  3 → STATUS rules out 1 → RESOURCE:MEMORY rules out 1 → 1 can take it
strategy   spread(instanceId), then random
expression a and b  (1 of 2 match)
             a  (2 match)
             b  (1 match)
as of      when the first task finds no place

PLACE  CONTAINER INSTANCE  EC2 INSTANCE  WHY
1      one                 i-1           spread(instanceId) 0
-      two                 -             RESOURCE:MEMORY: needs 512, 1 is free
-      three               -             STATUS: is DRAINING`)
})

test('says how many of several tasks would go where', () => {
  const tasks = ['one', 'two', 'one'].map((id) => ({ containerInstanceArn: arn(id) }))
  const text = explanationText({ operation: 'RunTask', outcome: 'PLACED', verdict: 'All.', tasks })
  expect(text).toBe('All.\n  2 on one\n  1 on two')
})

test('a long list is cut short, and says so', () => {
  expect(explanationText(explanation, 1).split('\n').slice(-2)).toEqual([
    '1      one                 i-1           spread(instanceId) 0',
    '… and 2 more; --all shows them',
  ])
})

test('a refusal is the verdict alone', () => {
  const verdict = 'RunTask would be refused with ClientException: TaskDefinition not found.'
  expect(explanationText({ operation: 'RunTask', outcome: 'REFUSED', verdict })).toBe(verdict)
})
