import { unusable } from './mistake.ts';
import type { Edge } from './syntax.ts';
import type { ClickPlace } from './tokens.ts';

/** An element in a connection, with the ports that were written; `open` may take as many more as the other side has. */
export interface PortedElement {
  name: string;
  readonly inputs: Ports | undefined;
  outputs: Ports | undefined;
}

interface Ports {
  readonly list: readonly number[];
  readonly open: boolean;
}

interface End {
  readonly name: string;
  readonly port: number;
}

/**
 * Connects two lists of elements as Click does: one to one, one to many, many to one; many to many only with `=>`, in
 * order. A side that says `[]`, or with `=>` nothing, has as many ports as the other.
 */
export function connectAll(
  left: readonly PortedElement[],
  right: readonly PortedElement[],
  many: boolean,
  place: ClickPlace,
  edges: Edge[],
): void {
  // Nearly all connections are of one output to one input.
  if (left.length === 1 && right.length === 1) {
    const [{ name: from, outputs }, { name: to, inputs }] = [left[0]!, right[0]!];
    if (isOne(outputs) && isOne(inputs)) {
      edges.push({ from, fromPort: outputs?.list[0] ?? 0, to, toPort: inputs?.list[0] ?? 0, place });
      return;
    }
  }
  const sides = [
    left.map(({ name, outputs }) => ({ name, ports: outputs })),
    right.map(({ name, inputs }) => ({ name, ports: inputs })),
  ];
  const sizes = sides.map((side) => side.reduce((sum, { ports }) => sum + (ports?.list.length ?? 1), 0));
  const [outs, ins] = sides.map((side, k): End[] => {
    const other = sizes[1 - k]!;
    let missing = Math.max(0, other - sizes[k]!);
    return side.flatMap(({ name, ports }) => {
      const list = [...(ports?.list ?? [0])];
      const grows = ports?.open === true || (many && ports === undefined && sizes[k] === 1 && other > 1);
      if (grows) for (let next = list.at(-1)! + 1; missing > 0; missing -= 1, next += 1) list.push(next);
      return list.map((port) => ({ name, port }));
    });
  });
  const [from, to] = [outs!, ins!];
  if (from.length > 1 && to.length > 1) {
    if (!many) throw unusable(place, 'connections of many to many are written with =>');
    if (from.length !== to.length) throw unusable(place, `${from.length} outputs are connected to ${to.length} inputs`);
  }
  for (let i = 0; i < Math.max(from.length, to.length); i += 1) {
    const [a, b] = [from.length === 1 ? from[0]! : from[i]!, to.length === 1 ? to[0]! : to[i]!];
    edges.push({ from: a.name, fromPort: a.port, to: b.name, toPort: b.port, place });
  }
}

function isOne(ports: Ports | undefined): boolean {
  return ports === undefined || (ports.list.length === 1 && !ports.open);
}
