import { defineErrors } from '@superfluidity/core';

export const placeErrors = defineErrors({
  'SF-PLACE-NO-CANDIDATE': {
    status: 409,
    title: 'There is no place for a unit',
    hint: 'The table says why each site and host was refused: lower the requirement, free or add capacity, or add a site.',
  },
  'SF-PLACE-CHAIN': {
    status: 409,
    title: 'No placement that was found keeps a chain within its bounds',
    hint: 'Raise latencyMaxMs or lower bandwidthMbps of the chain, or let its units run nearer to each other.',
  },
  'SF-PLACE-INPUT': {
    status: 422,
    title: 'What is to be placed, or what was measured, cannot be used',
    hint: 'See the reference of placement: it lists the fields of chains, hosts and links, and the columns of measurements.',
  },
  'SF-PLACE-LIMIT': {
    status: 413,
    title: 'The request is larger than what placement handles',
    hint: 'Place the service in parts.',
  },
  'SF-DESIGN-INPUT': {
    status: 422,
    title: 'A network that is to be designed or managed cannot be used as it is written',
    hint: 'See the reference of network design: it lists the fields of networks, topologies and scenarios.',
  },
  'SF-DESIGN-INFEASIBLE': {
    status: 409,
    title: 'No network keeps all of these constraints',
    hint: 'Serve a smaller share of users, lower the least rate, or allow more nodes, radio heads or hardware.',
  },
  'SF-DESIGN-UNKNOWN': {
    status: 504,
    title: 'Nothing was found within the time limit, and nothing proven',
    hint: 'Give it more time, or loosen the constraints.',
    transient: true,
  },
});

/** Bounds of one placement. */
export const placeLimits = {
  units: 100_000,
  hosts: 100_000,
  sites: 5_000,
  /** Partial assignments made and hosts looked at before the exact search settles for the best so far. */
  exactWork: 200_000,
  /** Times that the greedy search starts again with the unit that found no place in front. */
  restarts: 8,
  /** Passes over all units that try to better a greedy placement, and the moves tried in all of them. */
  improvementRounds: 3,
  improvementMoves: 50_000,
  /** Fitting hosts among which the emptiest is taken; a site may have thousands that are as good. */
  hostSample: 32,
  /** Refused chains of one request that are explained host by host. */
  explainedChains: 200,
  /** Rows in the table of an explained refusal. */
  refusals: 200,
  measurements: 100_000,
  /** Chains, their functions, and the sites between which they go. */
  chains: 100_000,
  chainFunctions: 64,
  chainSites: 500,
  /** Pairs that affinity joins. */
  partners: 1_000_000,
  /** Functions up to which the step of a chain is exact: its time grows as 3 to that power. */
  exactFunctions: 12,
  /** Partial ways over the sites that are looked at for one chain before the best so far is the answer. */
  siteWork: 100_000,
  /** Sites that get a table of their own in that search, those that are least out of the way. */
  siteTables: 24,
  /** Sub-chains on one host: sums of them stay exact, and no switch carries more. */
  subChains: 1_000,
  /** Of rates, sizes and latencies: products of them stay exact. */
  amount: 1e9,
  /** Variables of a mixed-integer programme. */
  milpVariables: 50_000,
} as const;

/** Bounds of design, management, energy and economics. */
export const designLimits = {
  users: 20_000,
  nodes: 500,
  types: 16,
  /** Pairs of a user and a radio head that could serve it. */
  links: 500_000,
  /** Characters of a matrix of coverage or rates. */
  matrixCharacters: 50_000_000,
  /** Links up to which a network is given to the solver; what is larger gets the answer of a heuristic with its gap. */
  milpLinks: 40_000,
  timeLimitMs: 3_600_000,
  /** Of the swarm: particles, rounds, and rounds without gain after which it ends. */
  particles: 24,
  swarmRounds: 60,
  stillRounds: 15,
  /** Passes over all users that better an association, and steps of the bound by prices. */
  associationPasses: 400,
  priceSteps: 250,
  years: 100,
  /** Of energy: flows, links of each direction, functions of a flow, and labels in the search for one route. */
  flows: 5_000,
  topologyLinks: 5_000,
  flowFunctions: 16,
  labels: 5_000,
  /** Variables of the joint programme of all flows. */
  flowVariables: 30_000,
  /** Of rates, capacities and costs. */
  amount: 1e12,
} as const;
