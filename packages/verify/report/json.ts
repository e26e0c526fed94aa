import { sourceName } from '../ir/source.ts';
import type { Packet, ShownPath } from '../engine/path.ts';
import type { Verdict } from '../verdict.ts';
import { showValue } from './values.ts';
import { wireBytes } from './wire.ts';

/** Verdicts as plain JSON. Values are text, because numbers of 128 bits are not JSON numbers. */
export function verdictJson(verdict: Verdict<ShownPath>): object {
  return {
    question: verdict.question,
    answer: verdict.answer,
    because: verdict.because,
    ...(verdict.bound === undefined ? {} : { bound: verdict.bound }),
    dependsOn: verdict.dependsOn,
    rules: verdict.rules,
    paths: verdict.paths.map(pathJson),
  };
}

export function pathJson(path: ShownPath): object {
  const witness = path.witness();
  return {
    outcome: path.outcome,
    port: path.port,
    layout: path.layout,
    ...(path.why === undefined ? {} : { why: path.why }),
    ...(path.source === undefined ? {} : { source: sourceName(path.source) }),
    hops: path.hops.map((hop) => ({ port: hop.port, because: hop.because.map(sourceName) })),
    doubts: path.doubts,
    copies: path.copies,
    choices: path.choices,
    ...(witness === undefined ? {} : { sent: packetJson(witness.sent), arrived: packetJson(witness.arrived) }),
  };
}

function packetJson(packet: Packet): object {
  return {
    layout: packet.layout,
    fields: Object.fromEntries([...packet.values].map(([name, value]) => [name, showValue(name, value)])),
    frame: Buffer.from(wireBytes(packet)).toString('hex'),
  };
}
