import { fields, type Packet, type ShownPath } from '@superfluidity/verify';
import type { PathReport } from './report.ts';

/** A path as plain JSON, with a packet that takes it. */
export function pathReport(path: ShownPath): PathReport {
  const { outcome, port, why, source, hops, doubts, layout } = path;
  const witness = path.witness();
  return {
    outcome,
    port,
    ...(why === undefined ? {} : { why }),
    ...(source === undefined ? {} : { source }),
    hops,
    doubts,
    layout,
    ...(witness === undefined ? {} : { packet: { sent: valuesOf(witness.sent), arrived: valuesOf(witness.arrived) } }),
  };
}

/** Of the packet alone: what boxes note beside it is not on the wire. */
function valuesOf({ values }: Packet): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...values].filter(([name]) => Object.hasOwn(fields, name)).map(([name, value]) => [name, String(value)]),
  );
}
