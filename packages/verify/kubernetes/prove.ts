import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { deploymentOf } from '../assemble/neutron.ts';
import { type ReadFiles, partsOf } from '../assemble/parts.ts';
import { DiagramLimit, Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import { BoundHit, boundOf } from '../engine/budget.ts';
import type { SourceRef } from '../ir/source.ts';
import { defaultLimits } from '../limits.ts';
import type { FileReading } from '../read/ledger.ts';
import type { InputFile } from '../read/reader.ts';
import { ipv4 } from '../readers/netfilter/addresses.ts';
import type { Ruleset } from '../readers/netfilter/ruleset.ts';
import type { NeutronDeployment } from '../readers/neutron/deployment.ts';
import type { Verdict } from '../verdict.ts';
import { type Connection, Connections, type ConnectionState } from './connections.ts';
import { addressesOf, type Meaning, meaningOf } from './meant.ts';
import { type ClusterState, isSubject, podName, subjectsOf } from './objects.ts';
import { PacketFilter, type Treatment } from './packet-filter.ts';
import { SecurityGroups } from './security-groups.ts';

export interface PoliciesOptions {
  readonly milliseconds?: number;
  readonly diagramNodes?: number;
  /** Examples of each question, of different pairs of ends. */
  readonly differences?: number;
  /** Whether to ask about what a node and its own pods say to each other. */
  readonly withNodes?: boolean;
  /** Of objects and rules that were not read at one moment: why nothing is certain. */
  readonly doubts?: readonly string[];
}

/** A packet that is treated otherwise than policies mean. */
export interface PolicyDifference {
  readonly connection: Connection;
  /** Pods at its ends: `red/web`. */
  readonly from?: string;
  readonly to?: string;
  readonly installed: 'passes' | 'is stopped';
  /** Of the policies. */
  readonly meant: readonly string[];
  /** Installed ones, that it met. */
  readonly rules: readonly SourceRef[];
}

export interface PolicyVerdict extends Verdict {
  readonly differences: readonly PolicyDifference[];
}

export interface PoliciesReport {
  readonly verdicts: readonly PolicyVerdict[];
  readonly pods: number;
  readonly classes: number;
  readonly nodes: number;
  readonly readings: readonly FileReading[];
  /** Of pods and addresses that were left out, and why. */
  readonly notCompared: readonly string[];
}

/** Connections that a node carries for its pods, that it begins to them, and that they begin to it. */
interface Ways {
  readonly carried: Node;
  readonly sent: Node;
  readonly taken: Node;
}

/** What enforces policies: packet filters by node, and the groups of a cloud. */
interface Installed {
  readonly filters: ReadonlyMap<string, readonly Ruleset[]>;
  readonly neutron: NeutronDeployment | undefined;
}

/**
 * Whether what is installed lets exactly those connections of pods begin that NetworkPolicies allow, and answers through: for all
 * addresses, ports, and TCP, UDP and SCTP at once. `files` are rules of nodes, each named after its node (`node1.nft`; an empty one
 * says that it has none), and lists of the Networking API. Throws SF-VERIFY-INPUT for files that cannot be read.
 */
export function provePolicies(
  cluster: ClusterState,
  files: readonly InputFile[],
  { milliseconds = 60_000, diagramNodes = defaultLimits.diagramNodes, ...options }: PoliciesOptions = {},
): PoliciesReport {
  const parts = partsOf(files.filter(({ text }) => text.trim() !== ''));
  const installed = installedIn(cluster, files, parts);
  const endMs = performance.now() + milliseconds;
  const look = () => {
    if (performance.now() > endMs) throw new BoundHit('milliseconds');
  };
  const subjects = subjectsOf(cluster).filter((pod) => addressesOf(pod).length > 0);
  const { readings } = parts;
  const base = { pods: subjects.length, nodes: installed.filters.size, readings };
  try {
    look();
    const space = new Connections(new Diagrams(diagramNodes, look));
    const doubts = { ofFiles: doubtsOf(readings), ofReading: options.doubts ?? [] };
    const proof = new Proof(cluster, installed, space, doubts, options.differences ?? 10);
    const verdicts = [proof.begin(), proof.answers(), ...(options.withNodes === false ? [] : [proof.nodes()])];
    return { ...base, verdicts, classes: proof.classes, notCompared: proof.notCompared };
  } catch (error) {
    const bound = boundOf(error);
    if (bound === undefined && !(error instanceof DiagramLimit)) throw error;
    const verdict: PolicyVerdict = {
      question: 'policies',
      answer: 'unknown',
      because: 'It was not decided within the bounds.',
      ...(bound === undefined ? {} : { bound }),
      paths: [],
      dependsOn: [],
      rules: [],
      differences: [],
    };
    return { ...base, verdicts: [verdict], classes: 0, notCompared: [] };
  }
}

interface Doubts {
  readonly ofFiles: readonly string[];
  /** With one of them, what is found is perhaps none. */
  readonly ofReading: readonly string[];
}

class Proof {
  readonly #cluster: ClusterState;
  readonly #installed: Installed;
  readonly #space: Connections;
  readonly #meaning: Meaning;
  readonly #groups: SecurityGroups | undefined;
  /** Connections that can be decided about. */
  readonly #decidable: Node;
  readonly #doubts: Doubts;
  readonly #most: number;
  readonly #filters = new Map<string, PacketFilter>();
  readonly #ways = new Map<string, Ways>();
  readonly notCompared: readonly string[];
  readonly #isPartial: boolean;

  constructor(cluster: ClusterState, installed: Installed, space: Connections, doubts: Doubts, most: number) {
    this.#cluster = cluster;
    this.#installed = installed;
    this.#space = space;
    this.#doubts = doubts;
    this.#most = most;
    this.#meaning = meaningOf(cluster, space);
    const { pods } = this.#meaning;
    this.#groups =
      installed.neutron === undefined ? undefined : new SecurityGroups(installed.neutron, new Set(pods.keys()), space);
    const left: string[] = [];
    const undecided: bigint[] = [];
    for (const [address, its] of pods) {
      const names = its.map(podName).join(', ');
      const isEnforced = its.every(({ node }) => node !== undefined && installed.filters.has(node));
      if (its.length > 1) left.push(`${names}: they have the same address`);
      else if (this.#groups?.ambiguous.has(address) === true)
        left.push(`${names}: several ports of the cloud have its address`);
      else if (!isEnforced && this.#groups?.addresses.has(address) !== true)
        left.push(`${names}: nothing is known of node ${its[0]!.node ?? '(none)'}, nor of a port in a cloud`);
      else continue;
      undecided.push(address);
    }
    this.#isPartial = undecided.length > 0;
    for (const pod of subjectsOf(cluster))
      if (pod.addresses.some((one) => ipv4(one) === undefined)) left.push(`${podName(pod)}: its addresses of IPv6`);
    this.notCompared = left;
    const { diagrams } = space;
    this.#decidable = diagrams.minus(
      diagrams.and(this.#meaning.ofPods, space.oneOf('protocol', [6n, 17n, 132n])),
      diagrams.or(space.oneOf('source', undecided), space.oneOf('destination', undecided)),
    );
  }

  get classes(): number {
    return this.#meaning.classes;
  }

  begin(): PolicyVerdict {
    const { allowed } = this.#meaning;
    const holds = 'What is installed lets those connections of pods begin that policies allow, and no others.';
    return this.#compare('policies', 'new', this.#betweenPods(), allowed, holds, (one) => this.#meaning.because(one));
  }

  answers(): PolicyVerdict {
    const holds = 'What belongs to a connection that has begun passes.';
    const meant = () => ['it belongs to a connection that has begun'];
    return this.#compare('policies/answers', 'established', this.#betweenPods(), TRUE, holds, meant);
  }

  nodes(): PolicyVerdict {
    const domain = this.#space.diagrams.and(this.#decidable, this.#meaning.ofNodes);
    const holds = 'Nodes and their own pods reach each other, whatever policies say.';
    const meant = () => ['a node and its own pods reach each other, whatever policies say'];
    return this.#compare('policies/nodes', 'new', domain, TRUE, holds, meant);
  }

  /** Without what does not leave the pod where a cloud filters at its port. */
  #betweenPods(): Node {
    const { diagrams } = this.#space;
    const own = this.#space.oneOf('source', [...(this.#groups?.addresses ?? [])]);
    const within = diagrams.and(this.#meaning.themselves, own);
    return diagrams.minus(this.#decidable, diagrams.or(this.#meaning.ofNodes, within));
  }

  #compare(
    question: string,
    state: ConnectionState,
    domain: Node,
    wanted: Node,
    holds: string,
    meant: (one: Connection) => readonly string[],
  ): PolicyVerdict {
    const { diagrams } = this.#space;
    const { passes, stopped, doubts } = this.#treatment(state);
    const surelyPasses = diagrams.minus(passes, stopped);
    const surelyStopped = diagrams.minus(stopped, passes);
    const tooMuch = diagrams.and(domain, diagrams.minus(surelyPasses, wanted));
    const tooLittle = diagrams.and(domain, diagrams.and(surelyStopped, wanted));
    const differences = [
      ...this.#examples(tooMuch, 'passes', state, meant),
      ...this.#examples(tooLittle, 'is stopped', state, meant),
    ].slice(0, this.#most);
    const isOpen = diagrams.and(domain, diagrams.and(passes, stopped)) !== FALSE;
    const { ofFiles, ofReading } = this.#doubts;
    const dependsOn = [...ofReading, ...ofFiles, ...(isOpen ? doubts : [])];
    const isFound = differences.length > 0 && ofReading.length === 0;
    const answer = isFound ? 'violated' : dependsOn.length > 0 || this.#isPartial ? 'unknown' : 'holds';
    const why = {
      holds,
      violated: {
        policies: 'Connections of pods begin that policies do not allow, or do not begin that they allow.',
        'policies/answers': 'Packets of connections that have begun are stopped.',
        'policies/nodes': 'A node and its own pods do not reach each other.',
      }[question]!,
      unknown: this.#unknown(ofReading),
    };
    return {
      question,
      answer,
      because: why[answer],
      paths: [],
      dependsOn: answer === 'holds' ? [] : dependsOn,
      rules: differences.flatMap(({ rules }) => rules),
      differences,
    };
  }

  #unknown(ofReading: readonly string[]): string {
    if (ofReading.length > 0) return 'The cluster changed while it was read.';
    return this.#isPartial ? 'Some pods could not be compared.' : 'It depends on what was not understood.';
  }

  #treatment(state: ConnectionState): Treatment {
    const space = this.#space;
    const { diagrams } = space;
    const parts: { readonly where: Node; readonly treatment: Treatment }[] = [];
    for (const node of this.#installed.filters.keys()) {
      const { carried, sent, taken } = this.#waysOf(node);
      for (const [where, hook] of [
        [carried, 'forward'],
        [sent, 'output'],
        [taken, 'input'],
      ] as const)
        if (where !== FALSE) parts.push({ where, treatment: this.#filter(node, hook, state).treatment() });
    }
    const groups = this.#groups?.treatment(state);
    if (groups !== undefined) parts.push({ where: TRUE, treatment: groups });
    return {
      passes: space.all(parts.map(({ where, treatment }) => space.where(where, treatment.passes))),
      stopped: space.any(parts.map(({ where, treatment }) => diagrams.and(where, treatment.stopped))),
      doubts: [...new Set(parts.flatMap(({ treatment }) => treatment.doubts))],
    };
  }

  #filter(node: string, hook: 'forward' | 'output' | 'input', state: ConnectionState): PacketFilter {
    const key = `${node} ${hook} ${state}`;
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const made = new PacketFilter(this.#installed.filters.get(node)!, hook, state, this.#space);
    this.#filters.set(key, made);
    return made;
  }

  /** What a node carries from or to its pods, what it sends to them, and what it takes from them. */
  #waysOf(node: string): Ways {
    const known = this.#ways.get(node);
    if (known !== undefined) return known;
    const space = this.#space;
    const { diagrams } = space;
    const pods = this.#cluster.pods.filter((pod) => pod.node === node && isSubject(pod)).flatMap(addressesOf);
    const own = this.#cluster.nodes
      .filter(({ name }) => name === node)
      .flatMap(({ addresses }) => addresses.flatMap((one) => ipv4(one) ?? []));
    const sent = diagrams.and(space.oneOf('source', own), space.oneOf('destination', pods));
    const taken = diagrams.and(space.oneOf('source', pods), space.oneOf('destination', own));
    const all = diagrams.or(space.oneOf('source', pods), space.oneOf('destination', pods));
    const ways = { carried: diagrams.minus(all, diagrams.or(sent, taken)), sent, taken };
    this.#ways.set(node, ways);
    return ways;
  }

  #examples(
    set: Node,
    installed: PolicyDifference['installed'],
    state: ConnectionState,
    meant: (one: Connection) => readonly string[],
  ): readonly PolicyDifference[] {
    const space = this.#space;
    const { diagrams } = space;
    const found: PolicyDifference[] = [];
    const addresses = [...this.#meaning.pods.keys()];
    for (let rest = set; found.length < this.#most; ) {
      const one = space.example(rest);
      if (one === undefined) break;
      const name = (address: bigint) => this.#meaning.pods.get(address)?.map(podName).join(', ');
      const [from, to] = [name(one.source), name(one.destination)];
      found.push({
        connection: one,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        installed,
        meant: meant(one),
        rules: this.#rulesFor(one, state),
      });
      // Another pair of ends next; all that is outside counts as one.
      const end = (part: 'source' | 'destination', pod: string | undefined) =>
        pod === undefined ? diagrams.not(space.oneOf(part, addresses)) : space.equals(part, one[part]);
      rest = diagrams.minus(rest, diagrams.and(end('source', from), end('destination', to)));
    }
    return found;
  }

  #rulesFor(one: Connection, state: ConnectionState): readonly SourceRef[] {
    const met = [...this.#installed.filters.keys()].flatMap((node) => {
      const { carried, sent, taken } = this.#waysOf(node);
      if (this.#space.has(carried, one)) return this.#filter(node, 'forward', state).rulesFor(one);
      if (this.#space.has(sent, one)) return this.#filter(node, 'output', state).rulesFor(one);
      return this.#space.has(taken, one) ? this.#filter(node, 'input', state).rulesFor(one) : [];
    });
    return [...met, ...(this.#groups?.rulesFor(one) ?? [])];
  }
}

/** Boxes are named after files, up to their first point, and so are nodes. */
function installedIn(cluster: ClusterState, files: readonly InputFile[], parts: ReadFiles): Installed {
  const filters = new Map<string, readonly Ruleset[]>();
  const short = (name: string) => name.split('.', 1)[0]!;
  const empty = files
    .filter(({ text }) => text.trim() === '')
    .map(({ path }) => short(path.slice(path.lastIndexOf('/') + 1)));
  for (const { name } of cluster.nodes) {
    if (cluster.nodes.filter((other) => short(other.name) === short(name)).length > 1)
      throw new SuperfluidityError('SF-VERIFY-INPUT', {
        reason: `two nodes are called ${short(name)} up to the first point, and files are named after that`,
      });
    const rulesets = parts.boxes.get(short(name))?.rulesets;
    if (rulesets !== undefined) filters.set(name, rulesets);
    else if (empty.includes(short(name))) filters.set(name, []);
  }
  return { filters, neutron: deploymentOf(parts.neutron) };
}

/** Rules of iptables that were not understood are doubts where they stand; of others nobody knows what they would have done. */
function doubtsOf(readings: readonly FileReading[]): readonly string[] {
  return readings.flatMap(({ file, format, lines, remarks }) => {
    if (lines['not understood'] === 0 || (format.startsWith('ip') && format.endsWith('tables-save'))) return [];
    const first = remarks.find(({ fate }) => fate === 'not understood');
    return [`${lines['not understood']} lines of ${file}, first line ${first?.line ?? '?'}: ${first?.why ?? ''}`];
  });
}
