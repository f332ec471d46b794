import { AwsError } from '@berth/wire/error.ts'

/** What a call is refused with: `Code: message`. */
export function errorOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof AwsError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing'
}
