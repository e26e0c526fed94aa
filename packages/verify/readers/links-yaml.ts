import { LineLedger } from '../read/ledger.ts';
import { inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import type { ReadLink } from './links.ts';

const NAME = /^[\w./@-]{1,200}$/;

/** Boxes, and in each its ports with what LLDP hears there (IEEE 802.1AB): a YAML file of two levels. */
export function looksLikeNeighbours(text: string, path: string): boolean {
  if (!/\.ya?ml$/.test(path)) return false;
  const [first, second] = text
    .slice(0, 4_096)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.trim().startsWith('#') && line !== '---');
  return first !== undefined && second !== undefined && /^[^\s:#]+:$/.test(first) && /^ +\S+:(?: |$)/.test(second);
}

/**
 *     edge:
 *       eth1: core:eth0
 *       eth2: [core:eth3, other:eth1]
 *       eth3: { system: core, port: eth4 }
 *       eth4:
 *         - core:eth5
 *
 * Who hears is heard: a wire leads both ways, and may stand at both ends. Of YAML no more is known than this.
 */
export function readNeighbours(file: InputFile): Reading<readonly ReadLink[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'neighbours', lines.length);
  const links = new Map<string, ReadLink>();
  let box: string | undefined;
  let port: string | undefined;
  /** Blanks in front of the ports of a box. */
  let depth = 0;
  for (const [i, given] of lines.entries()) {
    const line = i + 1;
    const text = withoutComment(given);
    if (text.trim() === '' || text === '---') continue;
    const indent = text.length - text.trimStart().length;
    const inner = text.trim();
    if (indent === 0) {
      box = inner.endsWith(':') && NAME.test(inner.slice(0, -1)) ? inner.slice(0, -1) : undefined;
      [port, depth] = [undefined, 0];
      if (box === undefined) ledger.notUnderstood(line, 'no box with its ports');
      else ledger.used(line);
      continue;
    }
    const item = inner.startsWith('- ') && port !== undefined && indent >= depth ? inner.slice(2) : undefined;
    const colon = /:(?: |$)/.exec(inner)?.index ?? -1;
    const key = item === undefined && colon > 0 ? inner.slice(0, colon) : undefined;
    if (depth === 0) depth = indent;
    if (key !== undefined) port = indent === depth && NAME.test(key) ? key : undefined;
    const ends = endsOf(item ?? (key === undefined ? '' : inner.slice(colon + 1)).trim());
    if (box === undefined || port === undefined || ends === undefined || (item === undefined && key === undefined)) {
      ledger.notUnderstood(line, 'no port with the port that is heard there');
      continue;
    }
    ledger.used(line);
    const here = `${box}:${port}`;
    const source = ledger.at(line, given);
    for (const there of ends) {
      links.set(`${here} ${there}`, { from: here, to: there, source });
      const back = `${there} ${here}`;
      if (!links.has(back)) links.set(back, { from: there, to: here, source });
    }
  }
  return { value: [...links.values()], reading: ledger.reading() };
}

/** `core:eth0`, a list of such, `{ system: core, port: eth0 }`; nothing, when a list follows. */
function endsOf(text: string): readonly string[] | undefined {
  if (text === '') return [];
  if (text.startsWith('{')) {
    const parts = text.endsWith('}') ? text.slice(1, -1).split(',') : [];
    const entries = new Map(
      parts.map((part): [string, string] => {
        const [key = '', value = ''] = part.split(/: (.*)/s, 2).map(plain);
        return [key, value];
      }),
    );
    const [system, port] = [entries.get('system') ?? entries.get('box'), entries.get('port')];
    return system !== undefined && port !== undefined && entries.size === 2
      ? checked([`${system}:${port}`])
      : undefined;
  }
  if (text.startsWith('[')) return text.endsWith(']') ? checked(text.slice(1, -1).split(',').map(plain)) : undefined;
  return checked([plain(text)]);
}

function checked(ends: readonly string[]): readonly string[] | undefined {
  const isEnd = (end: string) => {
    const colon = end.indexOf(':');
    return NAME.test(end.slice(0, Math.max(colon, 0))) && NAME.test(end.slice(colon + 1).replaceAll(':', '.'));
  };
  return ends.every(isEnd) ? ends : undefined;
}

const plain = (text: string): string => text.trim().replace(/^(["'])(.*)\1$/, '$2');

function withoutComment(text: string): string {
  const at = /(?:^|\s)#/.exec(text)?.index;
  return (at === undefined ? text : text.slice(0, at)).trimEnd();
}
