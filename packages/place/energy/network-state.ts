import type { EnergyProblem, Flow, Route } from './problem.ts';

/** Part of a capacity that rounding may take. */
const TOLERANCE = 1e-9;

/** What is left of links and processors, and which nodes are on, while flows come and go. */
export class NetworkState {
  readonly problem: EnergyProblem;
  readonly #links: Float64Array;
  readonly #cpu: Float64Array;
  readonly #functionsAt: Int32Array;
  readonly outOf: readonly (readonly number[])[];

  constructor(problem: EnergyProblem) {
    this.problem = problem;
    this.#links = Float64Array.from(problem.links, ({ mbps }) => mbps * problem.linkUse);
    this.#cpu = Float64Array.from(problem.nodes, ({ cpu }) => cpu * problem.cpuUse);
    this.#functionsAt = new Int32Array(problem.nodes.length);
    const outOf = problem.nodes.map((): number[] => []);
    problem.links.forEach(({ from }, link) => outOf[from]!.push(link));
    this.outOf = outOf;
  }

  carries(link: number, mbps: number): boolean {
    return this.#links[link]! >= mbps * (1 - TOLERANCE);
  }

  /** `taken` is what earlier functions of the same flow take there. */
  runs(node: number, { kind, cpuPerMbps }: Flow['functions'][number], mbps: number, taken = 0): boolean {
    const { functions } = this.problem.nodes[node]!;
    return functions.includes(kind) && this.#cpu[node]! >= (cpuPerMbps * mbps + taken) * (1 - TOLERANCE);
  }

  isOn(node: number): boolean {
    return this.problem.nodes[node]!.on || this.#functionsAt[node]! > 0;
  }

  get on(): readonly boolean[] {
    return this.problem.nodes.map((_, node) => this.isOn(node));
  }

  /** Whether the route of a flow, at this rate, is there and has room. */
  fits(flow: Flow, route: Route): boolean {
    const links = Map.groupBy(route.links, (link) => link);
    const cpu = new Map<number, number>();
    const running = route.at.every((node, i) => {
      const one = flow.functions[i]!;
      const taken = cpu.get(node) ?? 0;
      cpu.set(node, taken + one.cpuPerMbps * flow.mbps);
      return this.runs(node, one, flow.mbps, taken);
    });
    return running && [...links].every(([link, times]) => this.carries(link, flow.mbps * times.length));
  }

  add(flow: Flow, route: Route): void {
    this.#change(flow, route, 1);
  }

  remove(flow: Flow, route: Route): void {
    this.#change(flow, route, -1);
  }

  #change(flow: Flow, route: Route, sign: 1 | -1): void {
    for (const link of route.links) this.#links[link]! -= sign * flow.mbps;
    route.at.forEach((node, i) => {
      this.#cpu[node]! -= sign * flow.functions[i]!.cpuPerMbps * flow.mbps;
      this.#functionsAt[node]! += sign;
    });
  }
}
