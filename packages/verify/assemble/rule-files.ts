import type { NetworkRule } from '../incremental/rules.ts';
import { readUpdates, readWiring, type RuleUpdate } from '../incremental/updates.ts';
import type { Wiring } from '../incremental/verifier.ts';
import { networkOfRules } from '../models/rules.ts';
import { type FileReading, LineLedger } from '../read/ledger.ts';
import { unusable } from '../read/lines.ts';
import type { InputFile } from '../read/reader.ts';
import type { Assembled } from './assemble.ts';

/** A recording of rules, with the wires and VLANs between the boxes: data sets of APKeep. */
export interface RuleFiles {
  /** Those in force when the recording was complete. */
  readonly rules: readonly RuleUpdate[];
  readonly wiring: Wiring;
  readonly file: string;
  readonly readings: readonly FileReading[];
}

const looksLikeUpdates = ({ text }: InputFile): boolean => /^\s*[+-] (?:fwd|acl) /.test(text.slice(0, 1_024));
const baseName = ({ path }: InputFile): string => path.slice(path.lastIndexOf('/') + 1);

/**
 * `updates`, with `topo.txt` and `vlan.txt` beside it. A recording ends with the removal of all rules: what comes after the last
 * insertion is left out. Undefined when there is no such file.
 */
export function ruleFiles(files: readonly InputFile[]): RuleFiles | undefined {
  const recording = files.find(looksLikeUpdates);
  if (recording === undefined) return undefined;
  const topology = files.find((file) => /^topo\b/.test(baseName(file)));
  const vlans = files.find((file) => /^vlan\b/.test(baseName(file)));
  if (topology === undefined) throw unusable(recording.path, 1, 'there is no topo.txt with the wires beside it');
  const wiring = readWiring(topology, vlans ?? { path: 'vlan.txt', text: '' });
  const updates = readUpdates(recording);
  const last = updates.findLastIndex(({ insert }) => insert);
  const inForce = new Map<string, RuleUpdate>();
  for (const update of updates.slice(0, last + 1)) {
    const key = JSON.stringify(update.rule);
    if (!update.insert) inForce.delete(key);
    else if (!inForce.has(key)) inForce.set(key, update);
  }
  const end = updates[last]?.line ?? 0;
  const readings = files.map((file) => {
    if (file === recording) return account(file, 'rule updates', (line) => line <= end, 'after the last insertion');
    const isUsed = file === topology || file === vlans;
    return account(file, isUsed ? 'wires of rules' : 'beside rules', () => isUsed, 'the updates have what counts');
  });
  return { rules: [...inForce.values()], wiring, file: recording.path, readings };
}

function account(file: InputFile, format: string, isUsed: (line: number) => boolean, why: string): FileReading {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, format, lines.length);
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    if (isUsed(i + 1)) ledger.used(i + 1);
    else ledger.withoutEffect(i + 1, why);
  }
  return ledger.reading();
}

export function rulesNetwork(name: string, files: readonly InputFile[]): Assembled | undefined {
  const found = ruleFiles(files);
  if (found === undefined) return undefined;
  const network = networkOfRules(name, found.rules, found.file, found.wiring);
  const routers = [...network.boxes].filter(([, { kind }]) => kind === 'router');
  return { network, entries: routers.map(([box]) => `${box}:in`), ends: new Map(), readings: found.readings };
}

/** The rules alone. */
export const rulesInForce = ({ rules }: RuleFiles): readonly NetworkRule[] => rules.map(({ rule }) => rule);
