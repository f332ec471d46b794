import { AwsError } from '@berth/wire/error.ts'
import { pageInOrder } from './page.ts'
import { invalid } from './constraints.ts'

/** A page of EventBridge's lists and of its Scheduler's: 100 at most, which is also what a caller gets who does not say. */
export function schedulePage<Row>(
  rowsAfter: (key: string | undefined) => Iterable<Row>,
  request: Pick<Parameters<typeof pageInOrder>[1], 'context' | 'maxResults' | 'nextToken' | 'parameters'>,
  keyOf: (row: Row) => string,
): ReturnType<typeof pageInOrder<Row>> {
  try {
    return pageInOrder(rowsAfter, { ...request, limit: 100, default: 100 }, keyOf)
  } catch (error) {
    // No source gives AWS's text of a token that is not its own.
    if (error instanceof AwsError) invalid('Parameter NextToken is not valid.')
    throw error
  }
}
