import { LineLedger } from '../read/ledger.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { mtuOf } from './interfaces.ts';
import type { SourceRef } from '../ir/source.ts';

export interface ReadLink {
  readonly from: string;
  readonly to: string;
  readonly source: SourceRef;
  /** Bytes of the longest IP packet. */
  readonly mtu?: number;
}

/**
 * Links, one on a line: `a:eth0 -> b:eth1`, and `<->` for both ways; `mtu 1400` may stand behind. In files of Symnet ports have
 * three parts, `box:element:port`; where the element is the box, it is left out. `!>` and `|>` are links that are switched off.
 * Four words are a link, too: `a eth0 b eth1`.
 */
export function readLinks(file: InputFile): Reading<readonly ReadLink[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'links', lines.length);
  const links: ReadLink[] = [];
  lines.forEach((text, i) => {
    const line = i + 1;
    const words = text
      .split(/#|\/\//)[0]!
      .trim()
      .split(/\s+/);
    if (words[0] === '') return;
    const four = wire(words);
    if (four !== undefined) {
      ledger.used(line);
      links.push({ ...four, source: ledger.at(line, text) });
      return;
    }
    const [from, arrow, to, ...more] = words;
    const mtu = mtuOf(more);
    if (
      words.length < 3 ||
      more.length !== (mtu === undefined ? 0 : 2) ||
      !['->', '<->', '!>', '|>'].includes(arrow!) ||
      !from!.includes(':') ||
      !to!.includes(':')
    ) {
      ledger.notUnderstood(line, 'not of the form `box:port -> box:port [mtu bytes]`');
      return;
    }
    if (arrow === '!>' || arrow === '|>') {
      ledger.withoutEffect(line, 'switched off');
      return;
    }
    ledger.used(line);
    const source = ledger.at(line, text);
    const rest = mtu === undefined ? { source } : { source, mtu };
    links.push({ from: shortPort(from!), to: shortPort(to!), ...rest });
    if (arrow === '<->') links.push({ from: shortPort(to!), to: shortPort(from!), ...rest });
  });
  return { value: links, reading: ledger.reading() };
}

export function looksLikeLinks(text: string): boolean {
  const first = text.split('\n', 50).find((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (first !== undefined && wire(first.trim().split(/\s+/)) !== undefined) return true;
  return first !== undefined && /^\S+:\S+\s+(?:->|<->|!>)\s+\S+:\S+(?:\s+mtu\s+\d+)?\s*$/.test(first.trim());
}

/** `bbra te1/3 boza te2/1`, one way, as data sets of routers have it: names of interfaces are letters and numbers. */
function wire(words: readonly string[]): Pick<ReadLink, 'from' | 'to'> | undefined {
  const [from, out, to, entry] = words as [string, string?, string?, string?];
  if (words.length !== 4 || !/^[a-z][a-z-]*\d[\d/.]*$/i.test(out!) || !/^[a-z][a-z-]*\d[\d/.]*$/i.test(entry!))
    return undefined;
  if (!/^[a-z][\w.-]*$/i.test(from) || !/^[a-z][\w.-]*$/i.test(to!)) return undefined;
  return { from: `${from}:${out}`, to: `${to}:${entry}` };
}

/** `box:box:port` is `box:port`. */
export function shortPort(port: string): string {
  const [box, element, ...rest] = port.split(':');
  return rest.length > 0 && element === box ? [box, ...rest].join(':') : port;
}
