import { SuperfluidityError } from '@superfluidity/core';
import { type Destination, destinations as destinationsOf, ruleFiles, rulesInForce } from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { readingText } from './answer.ts';
import { loadFiles } from './load.ts';

/** Everywhere that packets of a recording of rules can end, by sets of packets. */
export async function destinations(context: Context, path: string, { from }: { readonly from: string }): Promise<void> {
  const found = ruleFiles(await loadFiles(path));
  if (found === undefined) {
    const reason = `${path} has no recording of rules (lines '+ fwd ...', '+ acl ...'): of other networks, ask reach`;
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason });
  }
  const boxes = new Set([
    ...found.wiring.links.flatMap((link) => [link.from.node, link.to.node]),
    ...found.rules.flatMap(({ rule }) => (rule.kind === 'forward' ? [rule.box] : [])),
  ]);
  if (!boxes.has(from)) {
    throw new SuperfluidityError('SF-VERIFY-PORT', { reason: `there is no box '${from}' in ${path}` });
  }
  const ends = destinationsOf(rulesInForce(found), found.wiring, from);
  const machine = {
    from,
    destinations: ends.map(({ outcome, end, packet }) => ({ outcome, box: end.node, port: end.port, packet })),
    read: found.readings,
  };
  await context.show(machine, () => [...found.readings.map(readingText), ...ends.map(line)].join('\n'));
}

function line({ outcome, end, packet }: Destination): string {
  const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  const place = end.port === '' ? end.node : `${end.node}:${end.port}`;
  return `${outcome} at ${place}, for instance ${dotted(packet.source)} -> ${dotted(packet.destination)}, protocol ${packet.protocol}`;
}
