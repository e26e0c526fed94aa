import { defineErrors } from '@superfluidity/core';

export const modelErrors = defineErrors({
  'SF-MODEL-NAME': {
    status: 422,
    title: 'A name is not usable',
    hint: 'Names are DNS labels (RFC 1123): lower case letters, digits and hyphens, at most 63 characters, no hyphen at either end.',
  },
  'SF-MODEL-DUPLICATE': {
    status: 422,
    title: 'Two things that lie side by side have the same name',
    hint: 'Rename one of them.',
  },
  'SF-MODEL-KIND': {
    status: 422,
    title: 'A block contains what it cannot contain',
    hint: 'A service contains functions, a function contains units, a unit contains units or elements.',
  },
  'SF-MODEL-EXECUTION': {
    status: 422,
    title: 'A unit does not say consistently how to run it',
    hint: 'See the fields of each execution environment in the reference of native descriptors.',
  },
  'SF-MODEL-REFERENCE': {
    status: 422,
    title: 'Something that does not exist is referred to',
    hint: 'Refer to units by their path, for example `radio/bbu`, and to networks by their name.',
  },
  'SF-MODEL-CYCLE': {
    status: 422,
    title: 'Blocks wait for each other, or contain each other, in a circle',
    hint: 'Remove one of the references in the circle.',
  },
  'SF-MODEL-PREFIX': {
    status: 422,
    title: 'An IPv4 prefix is not usable',
    hint: 'Write the lowest address and the length, for example 10.45.0.0/16; prefixes of a service do not overlap.',
  },
  'SF-MODEL-PREFIX-TOO-SMALL': {
    status: 422,
    title: 'An IPv4 prefix has too few addresses for what is to be cut from it',
    hint: 'Give the network a shorter prefix length.',
  },
  'SF-MODEL-ADDRESS': {
    status: 422,
    title: 'An IPv4 address is not usable',
    hint: 'Fixed addresses lie inside their network, addresses of chains outside of all networks, and none is used twice.',
  },
  'SF-MODEL-MAC': {
    status: 422,
    title: 'An Ethernet address is not usable',
    hint: 'Six pairs of lower case hexadecimal digits with colons, of one station and not of a group; none is used twice.',
  },
  'SF-MODEL-QUALITY': {
    status: 422,
    title: 'What a port asks for cannot be had together',
    hint: 'What is guaranteed is at most what the port may take at all, and no code point is above 63.',
  },
  'SF-MODEL-IMAGE': {
    status: 422,
    title: 'An image is not where it should be',
    hint: 'Put the file or folder into the package, next to the descriptor, or correct the path.',
  },
  'SF-MODEL-SCALE': {
    status: 422,
    title: 'The bounds of scaling contradict each other',
    hint: 'Whole numbers with min <= initial <= max; what scales by itself has room between min and max.',
  },
  'SF-MODEL-CHAIN': {
    status: 422,
    title: 'A chain cannot carry packets as it is described',
    hint: 'A chain leads from one unit through units that forward to another unit, each of which has a port on a network.',
  },
  'SF-MODEL-BALANCER': {
    status: 422,
    title: 'A balancer cannot work as it is described',
    hint: 'Routes, cookies and forwarded headers need layer http; see the fields of balancers in the reference of native descriptors.',
  },
  'SF-MODEL-AFFINITY': {
    status: 422,
    title: 'Rules of affinity contradict each other',
    hint: 'Remove one of the rules, or give the blocks locations that agree; what is on one host is also on one site.',
  },
  'SF-MODEL-NESTING': {
    status: 422,
    title: 'A unit cannot run inside the one that is named',
    hint: 'A vm can run containers, pods, processes and packet programs, a unikernel a Click graph; what is inside fits into what the outer one asks for.',
  },
  'SF-MODEL-UNREACHABLE': {
    status: 422,
    title: 'Nothing can reach a function',
    hint: 'Give one of its units a port on a network, or a link.',
  },
  'SF-MODEL-LIMIT': {
    status: 413,
    title: 'The service is larger than what the system handles',
    hint: 'Split the service.',
  },
});

/** Bounds of one service. */
export const modelLimits = {
  /** Instances of units, at the upper end of their scale. */
  units: 100_000,
  /** Blocks inside each other, the service itself included. */
  depth: 16,
  /** Characters of a DNS label (RFC 1035 section 2.3.4). */
  name: 63,
  /** Characters of an interface name: IFNAMSIZ less the final zero (netdevice(7)). */
  interfaceName: 15,
  portsPerBlock: 64,
  /** Of an element inside of a packet program: a classifier has one for each of its patterns. */
  portsPerElement: 65_536,
  networks: 1_000,
  chains: 1_000,
  balancers: 1_000,
  /** Of one balancer; Octavia allows as many (`max_l7policies`). */
  routes: 50,
  rulesPerRoute: 50,
  poolsPerBalancer: 100,
  /** Hops between the ends of a chain: the segments of one SRv6 header, with room for routers. */
  hops: 32,
  policies: 1_000,
  waypoints: 12,
} as const;
