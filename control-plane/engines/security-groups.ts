// Tells each instance what the network interfaces of its tasks let through, as their security groups say.
import type { NetworkInterface } from '#domain/network-interface.ts'
import {
  type GuardedInterface,
  type NetworkRule,
  type NetworkRules,
  rulesOfGroup,
  type SecurityGroupRule,
} from '#domain/security-group.ts'
import type { View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** The agents' sessions, as far as network rules go. Implemented in adapters/agent-gateway. */
export interface NetworkAgents {
  /** Which rules the agent's present session was told, '' for none yet; undefined while no session is open. */
  toldRules(containerInstanceArn: string): string | undefined
  tellRules(containerInstanceArn: string, rules: NetworkRules, fingerprint: string): Promise<void>
}

interface Told {
  readonly containerInstanceArn: string
  readonly rules: NetworkRules
  readonly fingerprint: string
}

const isGroup = (place: string): boolean => place.startsWith('sg-')

/**
 * What is: the rules each connected agent was told. What should be: those that the rows give. A place is an instance, or
 * a group, which stands for every instance with an interface in it or in a group whose rules name it.
 */
export function securityGroups(agents: NetworkAgents): Reconciler<Told> {
  return {
    name: 'security-groups',
    watches: {
      networkInterface: ({ securityGroupIds, containerInstanceArn }) =>
        containerInstanceArn === undefined ? securityGroupIds : [...securityGroupIds, containerInstanceArn],
      securityGroup: (row) => row.groupId,
      instance: (row) => row.securityGroupIds,
      containerInstance: (row) => (canGuard(row) ? row.containerInstanceArn : undefined),
    },
    periodMs: 60_000,
    // Of members that come together, all are told at once.
    paceMs: 50,
    everywhere: (view) =>
      view
        .list('containerInstance')
        .filter(canGuard)
        .map((row) => row.containerInstanceArn),
    reconcile: (tx, _, places = new Set()) => ({
      effects: [...instancesAt(tx, places)].flatMap((containerInstanceArn) => {
        const told = agents.toldRules(containerInstanceArn)
        const instance = tx.find('containerInstance', containerInstanceArn)
        if (told === undefined || !instance || !canGuard(instance)) return []
        const rules = rulesFor(tx, containerInstanceArn)
        const fingerprint = JSON.stringify(rules)
        return fingerprint === told ? [] : [{ containerInstanceArn, rules, fingerprint }]
      }),
    }),
    placeOf: ({ containerInstanceArn }) => containerInstanceArn,
    perform: ({ containerInstanceArn, rules, fingerprint }) =>
      agents.tellRules(containerInstanceArn, rules, fingerprint),
  }
}

/** Only an agent that offers tasks network interfaces of their own knows this message. */
function canGuard({
  attributes,
}: {
  readonly attributes: ReadonlyArray<{ readonly name: string | undefined }>
}): boolean {
  return attributes.some(({ name }) => name === 'ecs.capability.task-eni')
}

function instancesAt(view: View, places: ReadonlySet<string>): Set<string> {
  const instances = new Set<string>()
  const groups = new Set<string>()
  for (const place of places) {
    if (!isGroup(place)) instances.add(place)
    else {
      groups.add(place)
      for (const { groupId } of view.by('securityGroup', 'references', place)) groups.add(groupId)
    }
  }
  for (const group of groups)
    for (const { containerInstanceArn } of view.by('networkInterface', 'group', group))
      if (containerInstanceArn !== undefined) instances.add(containerInstanceArn)
  return instances
}

/** All that an instance has to enforce, in an order that depends on the rows alone. */
export function rulesFor(view: View, containerInstanceArn: string): NetworkRules {
  const rows = view.by('networkInterface', 'containerInstance', containerInstanceArn)
  const interfaces = rows.map((row) => guarded(view, row))
  const named = interfaces.flatMap(({ ingress, egress }) => [...ingress, ...egress])
  const groupIds = [...new Set(named.flatMap(({ groupId }) => groupId ?? []))].toSorted()
  return {
    interfaces: interfaces.toSorted((one, other) => (one.ec2Id < other.ec2Id ? -1 : 1)),
    groups: Object.fromEntries(groupIds.map((groupId) => [groupId, membersOf(view, groupId)])),
  }
}

function guarded(view: View, row: NetworkInterface): GuardedInterface {
  const rules = row.securityGroupIds.flatMap((groupId) => {
    const group = view.find('securityGroup', groupId)
    return group ? rulesOfGroup(group) : []
  })
  return {
    ec2Id: row.networkInterfaceId,
    privateAddress: row.privateIpAddress,
    ingress: rules.filter(({ direction }) => direction === 'ingress').flatMap(shown),
    egress: rules.filter(({ direction }) => direction === 'egress').flatMap(shown),
  }
}

/** Rules for IPv6 are kept and have no effect: no interface has such an address. */
function shown({ protocol, fromPort, toPort, cidrIpv4, groupId }: SecurityGroupRule): NetworkRule[] {
  if (cidrIpv4 === undefined && groupId === undefined) return []
  return [
    {
      protocol,
      ...(fromPort !== undefined && { fromPort }),
      ...(toPort !== undefined && { toPort }),
      ...(cidrIpv4 !== undefined && { cidr: cidrIpv4 }),
      ...(groupId !== undefined && { groupId }),
    },
  ]
}

/** The addresses of a group: of interfaces and of EC2 instances. */
function membersOf(view: View, groupId: string): readonly string[] {
  const rows = [...view.by('networkInterface', 'group', groupId), ...view.by('instance', 'group', groupId)]
  return [...new Set(rows.map(({ privateIpAddress }) => privateIpAddress))].toSorted()
}
