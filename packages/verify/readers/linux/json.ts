import type { InputFile } from '../../read/reader.ts';
import { wordsOf } from '../../read/words.ts';
import { inputLines, unusable } from '../../read/lines.ts';

/** A line of iproute2, or an object of its JSON in the words of a line. */
export interface Entry {
  readonly words: readonly string[];
  readonly line: number;
  readonly text: string;
}

export type Json = Readonly<Record<string, unknown>>;

/** Lines that say something, or the elements of the list of `ip -j`, of which each is turned into words. */
export function entriesOf(
  file: InputFile,
  wordsFrom: (value: Json) => readonly (readonly string[])[],
): readonly Entry[] {
  if (/^\s*\[/.test(file.text)) {
    return jsonList(file).flatMap((value) =>
      wordsFrom(value).map((words) => ({ words, line: 1, text: words.join(' ') })),
    );
  }
  return inputLines(file).flatMap((text, i): Entry[] => {
    const words = wordsOf(text);
    return words.length === 0 || words[0]!.startsWith('#') ? [] : [{ words, line: i + 1, text: text.trim() }];
  });
}

export function jsonList(file: InputFile): readonly Json[] {
  let value: unknown;
  try {
    value = JSON.parse(file.text);
  } catch (error) {
    throw unusable(file.path, 1, `no JSON: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
  if (!Array.isArray(value)) throw unusable(file.path, 1, 'no list');
  return value.filter((one): one is Json => typeof one === 'object' && one !== null && !Array.isArray(one));
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

const pair = (word: string, value: unknown): string[] => {
  const written = text(value);
  return written === undefined ? [] : [word, written];
};

const list = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(text).filter((one) => one !== undefined) : [];

export function routeEntries(file: InputFile): readonly Entry[] {
  return entriesOf(file, (value) => [
    [text(value['type']) ?? 'unicast', text(value['dst']) ?? '', ...routeWords(value)],
    ...list(value['nexthops']).map((hop) => ['nexthop', ...routeWords(hop)]),
  ]);
}

function routeWords(value: Json): string[] {
  const via = value['via'] as Json | undefined;
  return [
    ...encapsulationWords(value),
    ...pair('via', value['gateway'] ?? via?.['host']),
    ...pair('dev', value['dev']),
    ...pair('table', value['table']),
    ...pair('metric', value['metric']),
    ...pair('tos', value['tos']),
    ...pair('pref', value['pref']),
    ...strings(value['flags']),
  ];
}

/** The table of `End.T` and `End.DT6` is lost: `ip -j` prints it under the name of the route's own. */
function encapsulationWords(value: Json): string[] {
  const kind = text(value['encap']);
  if (kind === undefined) return [];
  const segments = strings(value['segs'] ?? (value['srh'] as Json | undefined)?.['segs']);
  return [
    'encap',
    kind,
    ...pair('mode', value['mode']),
    ...pair('action', value['action']),
    ...pair('nh4', value['nh4']),
    ...pair('nh6', value['nh6']),
    ...pair('vrftable', value['vrftable']),
    ...pair('oif', value['oif']),
    ...(segments.length === 0 ? [] : ['segs', String(segments.length), '[', ...segments, ']']),
    ...(value['flavors'] === undefined ? [] : ['flavors']),
  ];
}

const addressWords = (word: string, address: unknown, length: unknown): string[] => {
  const written = text(address);
  if (written === undefined) return [];
  return [word, text(length) === undefined ? written : `${written}/${text(length)}`];
};

const rangeWords = (value: Json, word: string): string[] =>
  value[`${word}_start`] === undefined
    ? pair(word, value[word])
    : [word, `${text(value[`${word}_start`])}-${text(value[`${word}_end`])}`];

export function ruleEntries(file: InputFile): readonly Entry[] {
  const known = new Set(['priority', 'not', 'src', 'srclen', 'dst', 'dstlen', 'fwmark', 'fwmask', 'iif', 'oif']);
  for (const word of ['ipproto', 'sport', 'dport', 'table', 'goto', 'action', 'protocol']) known.add(word);
  for (const word of ['sport_start', 'sport_end', 'dport_start', 'dport_end', 'suppress_prefixlen']) known.add(word);
  return entriesOf(file, (value) => [
    [
      `${text(value['priority']) ?? ''}:`,
      ...('not' in value ? ['not'] : []),
      ...addressWords('from', value['src'], value['srclen']),
      ...addressWords('to', value['dst'], value['dstlen']),
      ...pair('fwmark', value['fwmark']).map((word, i) =>
        i === 1 && value['fwmask'] !== undefined ? `${word}/${text(value['fwmask'])}` : word,
      ),
      ...pair('iif', value['iif']),
      ...pair('oif', value['oif']),
      ...pair('ipproto', value['ipproto']),
      ...rangeWords(value, 'sport'),
      ...rangeWords(value, 'dport'),
      ...pair('lookup', value['table']),
      ...pair('suppress_prefixlength', value['suppress_prefixlen']),
      ...pair('goto', value['goto']),
      ...(text(value['action']) === undefined ? [] : [text(value['action'])!]),
      ...Object.keys(value).filter((key) => !known.has(key)),
    ],
  ]);
}

export function neighbourEntries(file: InputFile): readonly Entry[] {
  return entriesOf(file, (value) => [
    [
      text(value['dst']) ?? '',
      ...pair('dev', value['dev']),
      ...pair('lladdr', value['lladdr']),
      ...strings(value['state']),
    ],
  ]);
}
