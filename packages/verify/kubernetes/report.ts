import { append } from '@superfluidity/core';
import { sourceName } from '../ir/source.ts';
import { verdictJson } from '../report/json.ts';
import { verdictText } from '../report/text.ts';
import { type Connection, NUMBERS } from './connections.ts';
import type { PoliciesReport, PolicyDifference } from './prove.ts';

/** For people: each question, then the packets that are treated otherwise than they were meant to be. */
export function policiesText({ verdicts, pods, classes, nodes, notCompared }: PoliciesReport): string {
  const lines = notCompared.map((one) => `not compared: ${one}`);
  for (const verdict of verdicts) {
    lines.push(verdictText(verdict));
    for (const difference of verdict.differences) append(lines, differenceLines(difference));
  }
  lines.push(`${pods} pods in ${classes} classes, rules of ${nodes} nodes`);
  return lines.join('\n');
}

export function policiesJson({ verdicts, readings, ...counts }: PoliciesReport): object {
  return {
    ...counts,
    questions: verdicts.map((verdict) => {
      const { paths: _, ...said } = verdictJson(verdict) as { readonly paths: unknown };
      return { ...said, differences: verdict.differences.map(differenceJson) };
    }),
    read: readings,
  };
}

function differenceLines(difference: PolicyDifference): readonly string[] {
  const { connection, from, to, installed, meant, rules } = difference;
  const end = (pod: string | undefined, address: bigint) =>
    pod === undefined ? addressText(address) : `${pod} (${addressText(address)})`;
  const where = `${end(from, connection.source)} -> ${end(to, connection.destination)}`;
  return [
    `  ${where}, ${protocolText(connection)} port ${connection.port}: ${installed}, and was not meant to`,
    ...meant.map((one) => `    meant: ${one}`),
    ...(rules.length === 0 ? ['    installed: no rule is met'] : []),
    ...rules.map((rule) => `    installed: ${sourceName(rule)}  ${rule.text?.trim() ?? ''}`.trimEnd()),
  ];
}

function differenceJson({ connection, from, to, installed, meant, rules }: PolicyDifference): object {
  return {
    from: { address: addressText(connection.source), ...(from === undefined ? {} : { pod: from }) },
    to: { address: addressText(connection.destination), ...(to === undefined ? {} : { pod: to }) },
    protocol: protocolText(connection),
    port: Number(connection.port),
    sourcePort: Number(connection.sourcePort),
    installed,
    meant,
    rules: rules.map(sourceName),
  };
}

const addressText = (address: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');

function protocolText({ protocol }: Connection): string {
  return Object.entries(NUMBERS).find(([, number]) => number === protocol)?.[0] ?? `protocol ${protocol}`;
}
