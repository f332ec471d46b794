import type { DescribeServiceRevisionsRequest, DescribeServiceRevisionsResponse } from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import { describedOf, historyResources } from './service-deployment.ts'
import { showServiceRevision } from './show-service-deployment.ts'

export const describeServiceRevisions: Operation<
  DescribeServiceRevisionsRequest,
  DescribeServiceRevisionsResponse
> = {
  resources: (_, { serviceRevisionArns = [] }) => historyResources(serviceRevisionArns),
  run: (context, { serviceRevisionArns = [] }) => {
    const { rows, failures } = describedOf(context, 'service-revision', serviceRevisionArns, (arn) =>
      context.store.find('serviceRevision', arn),
    )
    return { serviceRevisions: rows.map(showServiceRevision), failures }
  },
}
