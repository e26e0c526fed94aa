import type { Service } from './block.ts';
import { joinAt, unitPaths, type BlockIndex, type Placed } from './check-blocks.ts';
import type { Findings } from './findings.ts';
import { parseIpv4Prefix } from './ipv4.ts';

/** References from block to block: order of start, affinity, nesting; and circles of them. */
export function checkReferences(service: Service, index: BlockIndex, findings: Findings): void {
  for (const placed of index.values()) {
    checkAfter(placed, index, findings);
    checkAffinityReferences(placed, index, findings);
    checkParent(placed, index, findings);
    checkTranslation(placed, service, findings);
    checkMeasuring(placed, index, findings);
  }
  checkCycles(index, 'wait for each other', startEdges(index), findings);
  checkCycles(index, 'run inside each other', parentEdges(index), findings);
}

function checkAfter({ block, at }: Placed, index: BlockIndex, findings: Findings): void {
  block.requirements.after?.forEach((path, i) => {
    const referenceAt = joinAt(at, `requirements.after[${i}]`);
    if (index.get(path)?.block.kind !== 'unit') findings.missing(referenceAt, 'unit', path, unitPaths(index));
  });
}

function checkAffinityReferences({ block, at }: Placed, index: BlockIndex, findings: Findings): void {
  block.requirements.affinity?.forEach((rule, i) => {
    rule.with.forEach((path, j) => {
      const referenceAt = joinAt(at, `requirements.affinity[${i}].with[${j}]`);
      if (path === '' || !index.has(path)) findings.missing(referenceAt, 'block', path, index.keys());
    });
  });
}

function checkParent({ block, path, at }: Placed, index: BlockIndex, findings: Findings): void {
  const parent = block.execution?.nested?.parent;
  if (parent === undefined || parent === 'none') return;
  const parentAt = joinAt(at, 'nested.parent');
  if (index.get(parent)?.block.kind !== 'unit') findings.missing(parentAt, 'unit', parent, unitPaths(index));
  else if (parent === path) findings.error('SF-MODEL-CYCLE', parentAt, `'${path}' cannot run inside itself`);
}

function checkMeasuring({ block, at }: Placed, index: BlockIndex, findings: Findings): void {
  block.autoscale?.measuredBy?.forEach((path, i) => {
    const referenceAt = joinAt(at, `autoscale.measuredBy[${i}]`);
    const named = index.get(path)?.block;
    if (named?.kind !== 'unit') findings.missing(referenceAt, 'unit', path, unitPaths(index));
    else if (named.execution?.telemetry !== true)
      findings.warn('SF-MODEL-REFERENCE', referenceAt, `unit '${path}' has no 'telemetry: true': nothing is measured`);
  });
}

function checkTranslation({ block, at }: Placed, service: Service, findings: Findings): void {
  const prefix = block.execution?.translates;
  if (prefix === undefined) return;
  const translatesAt = joinAt(at, 'translates');
  if (parseIpv4Prefix(prefix) === undefined) {
    findings.error('SF-MODEL-PREFIX', translatesAt, `'${prefix.slice(0, 80)}' is not an IPv4 prefix`);
  } else if (block.execution?.forwards !== true) {
    findings.error(
      'SF-MODEL-EXECUTION',
      translatesAt,
      'what does not forward cannot translate: forwards: true is missing',
    );
  } else if (!service.networks.some((network) => network.prefix === prefix)) {
    findings.warn('SF-MODEL-PREFIX', translatesAt, `${prefix} is not the prefix of a network of this service`);
  }
}

interface Edge {
  readonly to: string;
  readonly at: string;
}

/** A unit starts after those that it names and after those that blocks around it name. */
function startEdges(index: BlockIndex): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const { path, block, at } of index.values()) {
    const list = (block.requirements.after ?? []).map((to, i) => ({ to, at: joinAt(at, `requirements.after[${i}]`) }));
    const above = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    // `after` is inherited only by who does not state it.
    const inherited = path === '' || block.requirements.after !== undefined ? [] : (edges.get(above) ?? []);
    edges.set(path, [...list, ...inherited]);
  }
  return edges;
}

function parentEdges(index: BlockIndex): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const { path, block, at } of index.values()) {
    const parent = block.execution?.nested?.parent;
    if (parent !== undefined && parent !== path) edges.set(path, [{ to: parent, at: joinAt(at, 'nested.parent') }]);
  }
  return edges;
}

/** Depth-first search with its own stack: a chain of 100,000 units is legal and deeper than the call stack. */
function checkCycles(
  index: BlockIndex,
  what: string,
  edges: ReadonlyMap<string, readonly Edge[]>,
  findings: Findings,
): void {
  const state = new Map<string, 'open' | 'done'>();
  for (const root of unitPaths(index)) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ path: root, next: 0 }];
    while (stack.length > 0) {
      const frame = stack.at(-1)!;
      const edge = edges.get(frame.path)?.[frame.next];
      frame.next += 1;
      if (edge === undefined) {
        state.set(frame.path, 'done');
        stack.pop();
      } else if (state.get(edge.to) === 'open') {
        const from = stack.findIndex(({ path }) => path === edge.to);
        const circle = [...stack.slice(from).map(({ path }) => path), edge.to];
        const shown = circle.length > 8 ? [...circle.slice(0, 4), '...', ...circle.slice(-2)] : circle;
        findings.error('SF-MODEL-CYCLE', edge.at, `units ${what}: ${shown.join(' -> ')}`);
      } else if (!state.has(edge.to) && index.get(edge.to)?.block.kind === 'unit') {
        state.set(edge.to, 'open');
        stack.push({ path: edge.to, next: 0 });
      }
    }
  }
}
