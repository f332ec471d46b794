import type { Scope } from '#domain/arn.ts'
import { type DefaultNetwork, defaultNetwork } from '#domain/ec2-network.ts'
import type { Transaction } from './store.ts'

/** The default VPC of a scope with all that belongs to it, made when it is first needed. */
export function ensureDefaultNetwork(tx: Transaction, scope: Scope): DefaultNetwork {
  const network = defaultNetwork(scope)
  if (!tx.find('vpc', network.vpc.vpcId)) {
    tx.put('vpc', network.vpc)
    for (const subnet of network.subnets) tx.put('subnet', subnet)
    tx.put('securityGroup', network.securityGroup)
  }
  return network
}
