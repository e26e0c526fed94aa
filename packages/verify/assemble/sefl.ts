import { portsOf } from '../ports.ts';
import { LineLedger } from '../read/ledger.ts';
import type { InputFile } from '../read/reader.ts';
import { parseNetwork } from '../sefl/parse.ts';
import type { Assembled } from './assemble.ts';

/** A whole network in one file, as `superfluidity verify show` prints it. */
export function seflNetwork(files: readonly InputFile[]): Assembled | undefined {
  const [file, ...others] = files;
  if (file === undefined || others.length > 0 || !/^\s*(?:#.*\n\s*)*network\(/.test(file.text.slice(0, 4_096))) {
    return undefined;
  }
  const network = parseNetwork(file);
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'sefl', lines.length);
  for (const [i, line] of lines.entries()) if (line.trim() !== '' && !line.startsWith('#')) ledger.used(i + 1);
  const entries = [...portsOf(network)].filter((port) => network.programs.has(port) && port.endsWith(':in'));
  return { network, entries, ends: new Map(), readings: [ledger.reading()] };
}
