import { interpret } from '../engine/interpret.ts';
import type { Path } from '../engine/path.ts';
import type { Start } from '../engine/explore.ts';
import { block, nothing } from '../ir/instruction.ts';
import { layouts } from '../ir/layouts.ts';
import type { Network } from '../network.ts';

/**
 * The path with the very rules that its witness meets. A path of the engine is many packets and passes tables by what they
 * do; which entries did it is known of one packet, and the interpreter tells.
 */
export function explained(network: Network, start: Start, path: Path): Path {
  const witness = path.witness();
  const layout = (start.layouts ?? layouts).find(({ name }) => name === path.layout);
  if (witness === undefined || layout === undefined) return path;
  const setup = block(layout.setup, start.setup ?? nothing);
  const fresh = (_name: string, _width: number, ranges: readonly (readonly [bigint, bigint])[], index: number) =>
    witness.drawn[index] ?? ranges[0]![0];
  const ports = path.hops.map(({ port }) => port).join('\n');
  const same = interpret(network, start.port, setup, { fresh, hops: path.hops.length }).find(
    (end) =>
      end.hops
        .slice(0, path.hops.length)
        .map(({ port }) => port)
        .join('\n') === ports,
  );
  if (same === undefined) return path;
  return { ...path, hops: path.hops.map(({ port }, i) => ({ port, because: same.hops[i]!.because })) };
}
