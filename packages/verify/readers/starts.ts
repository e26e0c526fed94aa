import type { SourceRef } from '../ir/source.ts';
import { type FileReading, LineLedger } from '../read/ledger.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { shortPort } from './links.ts';

export interface ReadStart {
  readonly port: string;
  readonly source: SourceRef;
}

/** `start.start` of Symnet: where packets begin, one port on a line. */
export function looksLikeStarts(text: string, path: string): boolean {
  return path.endsWith('.start') && text.trim() !== '' && !/^\s*\S+[^\S\n]+\S/m.test(text.slice(0, 4_096));
}

export function readStarts(file: InputFile): Reading<readonly ReadStart[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'starts', lines.length);
  const starts: ReadStart[] = [];
  for (const [i, text] of lines.entries()) {
    const port = text.trim();
    if (port === '') continue;
    if (!/^[^\s:]+:[^\s:]+(?::[^\s:]+)*$/.test(port)) {
      ledger.notUnderstood(i + 1, 'not of the form `box:port`');
      continue;
    }
    ledger.used(i + 1);
    starts.push({ port: shortPort(port), source: ledger.at(i + 1, text) });
  }
  return { value: starts, reading: ledger.reading() };
}

/** `rules.rules` of Symnet, and other files of policies: questions about the network, and no part of it. */
export function looksLikePolicies(text: string, path: string): boolean {
  return (
    /\.(?:rules|policies)$/.test(path) &&
    /^\s*(?:$|(?:(?:#|\/\/).*\s*)*(?:reach from|policy \S+:)\s)/.test(text.slice(0, 4_096))
  );
}

export function readPolicyFile(file: InputFile): FileReading {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'policies', lines.length);
  for (const [i, text] of lines.entries()) {
    if (text.trim() !== '') ledger.withoutEffect(i + 1, 'a question: `superfluidity verify policy` answers it');
  }
  return ledger.reading();
}
