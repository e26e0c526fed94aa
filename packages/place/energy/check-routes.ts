import type { EnergyProblem, Route } from './problem.ts';

/** Every constraint of the paper that routes violate, in words; flows without a route are not looked at. */
export function routeViolations(problem: EnergyProblem, routes: readonly (Route | undefined)[]): readonly string[] {
  const { nodes, links, flows, linkUse, cpuUse, loops } = problem;
  const found: string[] = [];
  const carried = new Float64Array(links.length);
  const cpu = new Float64Array(nodes.length);
  flows.forEach((flow, f) => {
    const route = routes[f];
    if (route === undefined) return;
    const must = (holds: boolean, what: string) => {
      if (!holds) found.push(`${flow.name}: ${what}`);
    };
    const path = [flow.from];
    let delay = 0;
    for (const link of route.links) {
      const { from, to, delayMs } = links[link]!;
      must(from === path.at(-1), 'its links do not join');
      path.push(to);
      delay += delayMs;
      carried[link]! += flow.mbps;
    }
    must(path.at(-1) === flow.to, 'it does not get there');
    must(delay <= flow.delayMaxMs + 1e-9, `it takes ${delay} ms`);
    must(loops || new Set(path).size === path.length, 'it comes to a node twice');
    must(route.at.length === flow.functions.length, 'a function is missing');
    let position = 0;
    route.at.forEach((node, i) => {
      const { kind, cpuPerMbps } = flow.functions[i]!;
      const next = path.indexOf(node, position);
      must(next >= 0, `function ${i + 1} is not on the way, in its order`);
      position = Math.max(0, next);
      must(nodes[node]!.functions.includes(kind), `${nodes[node]!.name} cannot run ${kind}`);
      cpu[node]! += cpuPerMbps * flow.mbps;
    });
  });
  links.forEach(({ mbps }, link) => {
    if (carried[link]! > mbps * linkUse * (1 + 1e-6))
      found.push(`link ${link} carries ${carried[link]} of ${mbps} Mb/s`);
  });
  nodes.forEach((node, n) => {
    if (cpu[n]! > node.cpu * cpuUse * (1 + 1e-6)) found.push(`${node.name} runs ${cpu[n]} of ${node.cpu}`);
  });
  return found;
}
