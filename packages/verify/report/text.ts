import { append } from '@superfluidity/core';
import { fields } from '../ir/fields.ts';
import { isTooLong } from '../models/too-long.ts';
import { sourceName } from '../ir/source.ts';
import type { Packet, ShownPath } from '../engine/path.ts';
import type { Verdict } from '../verdict.ts';
import { showValue } from './values.ts';

/** Fields that say who talks to whom; the rest is shown only when it was rewritten on the way. */
const ALWAYS = new Set([
  'IPv4.src',
  'IPv4.dst',
  'IPv4.proto',
  'IPv6.src',
  'IPv6.dst',
  'IPv6.nextHeader',
  'TCP.sport',
  'TCP.dport',
  'UDP.sport',
  'UDP.dport',
  'ICMP.type',
  'Ether.src',
  'Ether.dst',
]);

/** Of packets that did not fit. */
const SIZES = new Set(['IPv4.length', 'IPv4.flags', 'IPv6.length']);

const marks = { holds: 'holds', violated: 'VIOLATED', unknown: 'unknown' } as const;

/** A verdict for people: what, why, the shortest path with a packet, and what it depends on. */
export function verdictText(verdict: Verdict<ShownPath>, paths = 1): string {
  const lines = [`${verdict.question}: ${marks[verdict.answer]}. ${verdict.because}`];
  if (verdict.bound !== undefined) lines.push(`  a bound was hit: ${verdict.bound}`);
  for (const path of verdict.paths.slice(0, paths))
    append(
      lines,
      pathLines(path).map((line) => `  ${line}`),
    );
  const more = verdict.paths.length - paths;
  if (more > 0) lines.push(`  ${more} more ${more === 1 ? 'path' : 'paths'}`);
  for (const doubt of verdict.dependsOn) lines.push(`  depends on what was not understood: ${doubt}`);
  return lines.join('\n');
}

export function pathLines(path: ShownPath): string[] {
  const witness = path.witness();
  const lines = [
    `packet ${witness === undefined ? `of layout ${path.layout}` : packetText(witness.sent, isTooLong(path.why))}`,
  ];
  for (const hop of path.hops) {
    lines.push(`  ${hop.port}`);
    for (const source of hop.because) {
      lines.push(`      ${sourceName(source)}${source.text === undefined ? '' : `  ${source.text.trim()}`}`);
    }
  }
  const at = path.source === undefined ? '' : ` (${sourceName(path.source)})`;
  lines.push(`  ${path.outcome}${path.why === undefined ? '' : `: ${path.why}`}${at}`);
  const changes = witness === undefined ? [] : changesText(witness.sent, witness.arrived);
  if (changes.length > 0) lines.push(`  on arrival ${changes.join(', ')}`);
  return lines;
}

function packetText(packet: Packet, withSizes: boolean): string {
  const shown = [...packet.values]
    .filter(([name]) => ALWAYS.has(name) || (withSizes && SIZES.has(name)))
    .map(([name, value]) => `${name} ${showValue(name, value)}`);
  return `${packet.layout}: ${shown.join(', ')}`;
}

function changesText(sent: Packet, arrived: Packet): string[] {
  const changes: string[] = [];
  // What boxes note beside the packet is not part of it.
  const isOfPacket = (name: string) => Object.hasOwn(fields, name) || name.startsWith('bit ');
  for (const [name, value] of arrived.values) {
    if (isOfPacket(name) && sent.values.get(name) !== value) changes.push(`${name} ${showValue(name, value)}`);
  }
  for (const name of sent.values.keys()) if (!arrived.values.has(name)) changes.push(`${name} is gone`);
  return changes;
}
