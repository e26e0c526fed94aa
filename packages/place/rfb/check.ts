import type { Hosted, RfbInstance, RfbSolution } from './instance.ts';

/** Part of a capacity by which it may be exceeded: what solvers call satisfied. */
const TOLERANCE = 1e-6;

export interface CheckRules {
  /** Users that may stay without service (default: 0). */
  readonly unserved?: number;
  readonly leastRateMbps?: number;
  readonly nodesMax?: number;
  /** In the place of those of the nodes: what a design has bought. */
  readonly capacity?: readonly { readonly dedicatedMbps: number; readonly cpu: number; readonly memory: number }[];
}

/**
 * Every constraint that a solution violates, by its number in the IJNM paper, in words. This goes through the formulas one by
 * one with what the solution says, and shares nothing with the programme that solvers get or with the heuristics.
 */
export function violations(instance: RfbInstance, solution: RfbSolution, rules: CheckRules = {}): readonly string[] {
  const { nodes, rrhTypes, bbuTypes, mecTypes } = instance;
  const { on, cell, bbu, mec, servedAt, rates } = solution;
  const found: string[] = [];
  const must = (holds: boolean, constraint: string, what: string) => {
    if (!holds) found.push(`(${constraint}) ${what}`);
  };
  const within = (sum: number, most: number) => sum <= most + TOLERANCE * Math.max(1, Math.abs(most));
  const count = (is: (node: number) => boolean) => nodes.filter((_, node) => is(node)).length;
  const cellAt = (node: number) => instance.cells[cell[node]!];
  const peak = (node: number, user: number): number | undefined => {
    const here = cellAt(node);
    const at = here?.covers.indexOf(user) ?? -1;
    return at < 0 ? undefined : here!.rates[at]!;
  };
  let unserved = 0;
  const usersOf = nodes.map((): number[] => []);
  for (let user = 0; user < instance.users; user += 1) {
    const node = servedAt[user]!;
    const rate = rates[user]!;
    if (node < 0) {
      unserved += 1;
      must(rate === 0, '24', `user ${user} is not served and has ${rate} Mb/s`);
      continue;
    }
    usersOf[node]!.push(user);
    const most = peak(node, user);
    must(most !== undefined, '17', `user ${user} is served by node ${node}, whose radio head does not cover it`);
    must(rate >= 0 && within(rate, most ?? 0), '23', `user ${user} has ${rate} Mb/s of ${most}`);
    const server = mec[node];
    must(
      within(rate, server === undefined ? 0 : mecTypes[server.type]!.userMbps),
      '43',
      `user ${user} has ${rate} Mb/s`,
    );
    must(within(rules.leastRateMbps ?? 0, rate), 'least rate', `user ${user} has ${rate} Mb/s`);
  }
  must(unserved <= (rules.unserved ?? 0), '16', `${unserved} users are not served`);
  rrhTypes.forEach(({ name, most }, type) =>
    must(count((node) => cellAt(node)?.type === type) <= most, '18', `more than ${most} radio heads ${name}`),
  );
  bbuTypes.forEach(({ name, most }, type) =>
    must(count((node) => bbu[node]?.type === type) <= most, '26', `more than ${most} BBUs ${name}`),
  );
  mecTypes.forEach(({ name, most }, type) =>
    must(count((node) => mec[node]?.type === type) <= most, '28', `more than ${most} MECs ${name}`),
  );
  const use = nodes.map(() => ({ dedicated: 0, cpu: 0, memory: 0 }));
  nodes.forEach(({ name }, node) => {
    const head = cellAt(node);
    if (head === undefined) {
      must(bbu[node] === undefined && mec[node] === undefined, '25, 27', `${name} has a BBU or MEC without radio head`);
      return;
    }
    must(head.node === node, '19', `${name} has the radio head of another node`);
    must(on[node]!, 'r <= y', `${name} has a radio head and is off`);
    const type = rrhTypes[head.type]!;
    const users = usersOf[node]!;
    const peaks = users.reduce((sum, user) => sum + (peak(node, user) ?? 0), 0);
    const traffic = users.reduce((sum, user) => sum + rates[user]!, 0);
    must(within(users.length, type.users), '20', `${name} serves ${users.length} users of ${type.users}`);
    must(within(peaks, type.rateMbps), '21-22', `peaks at ${name} are ${peaks} Mb/s of ${type.rateMbps}`);
    use[node]!.dedicated += peaks;
    for (const kind of ['bbu', 'mec'] as const) {
      const at: Hosted | undefined = solution[kind][node];
      must(at !== undefined, kind === 'bbu' ? '25' : '27', `the radio head at ${name} has no ${kind}`);
      if (at === undefined) continue;
      const allowed = kind === 'bbu' ? nodes[node]!.bbuAt : nodes[node]!.mecAt;
      must(
        allowed.includes(at.node),
        kind === 'bbu' ? '25' : '27',
        `the ${kind} of ${name} may not be at node ${at.node}`,
      );
      must(on[at.node]!, '30-42', `node ${at.node} has a ${kind} and is off`);
      const { cpu, cpuPerMbps, memory, memoryPerUser } = nodes[at.node]![kind];
      use[at.node]!.cpu += cpu + cpuPerMbps * traffic;
      use[at.node]!.memory += memory + memoryPerUser * users.length;
      if (kind === 'mec') continue;
      must(bbuTypes[at.type]!.rrhTypes.includes(head.type), '29', `the BBU of ${name} does not go with its radio head`);
      use[at.node]!.dedicated += bbuTypes[at.type]!.rateMbps;
    }
  });
  nodes.forEach(({ name, ...own }, node) => {
    const most = rules.capacity?.[node] ?? own;
    const used = use[node]!;
    const has = (amount: number) => (on[node]! ? amount : 0);
    must(
      within(used.dedicated, has(most.dedicatedMbps)),
      '30',
      `${name}: ${used.dedicated} of ${most.dedicatedMbps} Mb/s`,
    );
    must(within(used.cpu, has(most.cpu)), '31-39', `${name}: ${used.cpu} of ${most.cpu} processors`);
    must(within(used.memory, has(most.memory)), '40-42', `${name}: ${used.memory} of ${most.memory} memory`);
  });
  if (rules.nodesMax !== undefined) {
    const powered = on.filter(Boolean).length;
    must(powered <= rules.nodesMax, 'nodes', `${powered} nodes are on, at most ${rules.nodesMax}`);
  }
  return found;
}
