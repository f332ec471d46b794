import type { DeploymentCircuitBreaker } from '@aws-sdk/client-ecs'

/**
 * How many tasks in a row must fail before a deployment has failed: half of the desired count, but 3 at least and 200 at
 * most, unless the circuit breaker says otherwise.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */
export function failureThreshold(desiredCount: number, breaker?: DeploymentCircuitBreaker): number {
  const { type = 'BOUNDED_PERCENT', value = 50 } = breaker?.thresholdConfiguration ?? {}
  if (type === 'COUNT') return Math.max(1, value)
  const share = Math.ceil((desiredCount * value) / 100)
  return type === 'UNBOUNDED_PERCENT' ? Math.max(1, share) : Math.min(200, Math.max(3, share))
}
