import { type FileReading, LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile } from '../../read/reader.ts';

/** `ip xfrm policy` and `ip xfrm state`: entries that begin with the addresses of both ends, keys and templates below. */
export function looksLikeXfrm(text: string): boolean {
  const begin = text.slice(0, 4_096);
  return /^src \S+ dst \S+/m.test(begin) && /^\s+(?:dir (?:in|out|fwd)|proto (?:esp|ah|comp) )/m.test(begin);
}

/** IPsec is recognised, and not modelled: packets of such a box are in doubt, since nobody says which of them are masked. */
export function readXfrm(file: InputFile): FileReading {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ip xfrm', lines.length);
  for (const [i, text] of lines.entries()) {
    if (text.trim() !== '') ledger.notUnderstood(i + 1, 'IPsec of the kernel is not modelled');
  }
  return ledger.reading();
}
