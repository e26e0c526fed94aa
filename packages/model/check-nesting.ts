import type { Block } from './block.ts';
import { joinAt, type BlockIndex, type Placed } from './check-blocks.ts';
import type { Environment } from './environment.ts';
import type { Findings } from './findings.ts';

/** What can run inside what: a pod in a virtual machine, a Click graph in a unikernel; nothing inside a packet program. */
const inside: Readonly<Record<Environment, readonly Environment[]>> = {
  vm: ['container', 'pod', 'process', 'nft', 'click'],
  pod: ['container', 'process', 'nft', 'click'],
  container: ['process', 'nft', 'click'],
  process: [],
  unikernel: ['click'],
  click: [],
  nft: [],
};

/** Parents that are named, and units around units: that they can run what is in them, and are large enough for it. */
export function checkNesting(index: BlockIndex, findings: Findings): void {
  const children = new Map<string, Placed[]>();
  for (const placed of index.values()) {
    const { block, at } = placed;
    const named = block.execution?.nested?.parent;
    const parent = named === 'none' ? undefined : (named ?? around(placed, index));
    const outer = parent === undefined ? undefined : index.get(parent)?.block;
    if (parent === undefined || outer === undefined || block.kind !== 'unit') continue;
    if (!canHost(outer, block)) {
      const { environment } = outer.execution!;
      const message = `a ${environment} ('${parent}') cannot run a ${block.execution!.environment}`;
      findings.error('SF-MODEL-NESTING', named === undefined ? at : joinAt(at, 'nested.parent'), message);
      continue;
    }
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [placed]);
    else siblings.push(placed);
  }
  for (const [parent, placed] of children) checkRoom(index.get(parent)!, placed, findings);
}

/** The unit in which it is written. */
function around({ block, path }: Placed, index: BlockIndex): string | undefined {
  const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return block.kind === 'unit' && index.get(above)?.block.kind === 'unit' ? above : undefined;
}

function canHost(parent: Block, child: Block): boolean {
  const [outer, inner] = [parent.execution?.environment, child.execution?.environment];
  // What has no environment is reported where the block is checked by itself.
  return outer === undefined || inner === undefined || inside[outer].includes(inner);
}

/** What an enclosing unit asks for is the budget of those inside it, counted at the smallest number of instances. */
function checkRoom({ block: parent, at, path }: Placed, children: readonly Placed[], findings: Findings): void {
  for (const resource of ['cpu', 'memoryMiB', 'storageMiB'] as const) {
    const room = parent.requirements[resource];
    if (room === undefined) continue;
    const asked = children.reduce(
      (sum, { block }) => sum + (block.requirements[resource] ?? 0) * (block.scale?.min ?? 1),
      0,
    );
    // Each instance of the parent has that much.
    const whole = room * (parent.scale?.max ?? 1);
    if (asked <= whole * (1 + Number.EPSILON)) continue;
    const message = `'${path}' has ${resource} ${whole}, and what runs inside it asks for ${asked}`;
    findings.error('SF-MODEL-NESTING', joinAt(at, `requirements.${resource}`), message);
  }
}
