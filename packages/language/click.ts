import { ClickMistake, ClickNames, type ClickSymbol, parseClick } from '@superfluidity/click';
import { readClick } from '@superfluidity/dialects/languages';
import { clickClasses, type ClickClass } from '@superfluidity/verify/click';
import type { Completion } from './complete.ts';
import { remembered, type LanguageDocument } from './document.ts';
import type { Name, NameSymbol } from './names.ts';
import type { LanguageSupport } from './support.ts';

const kinds = { element: 'element', class: 'element class', variable: 'variable' } as const;
const RESERVED = new Set(['elementclass', 'define', 'require', 'provide', 'input', 'output']);

/** The names as the parser notes them, as far as the text can be read. */
const parsed = remembered(({ path, text }: LanguageDocument): ClickNames => {
  const names = new ClickNames(path);
  try {
    parseClick(path, text, { names, mistake: () => {} });
  } catch (error) {
    if (!(error instanceof ClickMistake)) throw error;
    names.finish(text.length);
  }
  return names;
});

export const clickSupport: LanguageSupport = {
  read: ({ path, text, beside = [] }) => {
    // A text is Click because the editor says so; by its name the reader sees that too.
    const own = path.endsWith('.click') ? path : `${path}.click`;
    const libraries = beside.filter((file) => text.includes(baseName(file.path)) && file.path.endsWith('.click'));
    const read = readClick([{ path: own, bytes: new TextEncoder().encode(text) }, ...libraries]);
    const problems = read.problems.map(({ position, ...problem }) =>
      position === undefined
        ? problem
        : { ...problem, position: position.file === own ? { ...position, file: path } : position },
    );
    return { ...read, problems };
  },

  names: (document) => {
    const symbols = new Map<ClickSymbol, NameSymbol>();
    return parsed(document).occurrences.map(({ kind, name, offset, symbol, isDefinition }): Name => {
      const span = { kind: kinds[kind], name, from: offset, to: offset + name.length, isDefinition };
      if (symbol === undefined) return span;
      const known = symbols.get(symbol) ?? symbolOf(symbol);
      symbols.set(symbol, known);
      return { ...span, symbol: known };
    });
  },

  complete: (document, offset) => {
    const { text } = document;
    const from = wordStart(text, offset);
    const span = { from, to: offset };
    const before = text.slice(Math.max(0, from - 200), from);
    const around = parsed(document).regions.filter((region) => region.from <= offset && offset <= region.to);
    const innermost = around.toSorted((a, b) => b.from - a.from)[0];
    // Elements of a compound are its own; classes and variables are known inside of it too.
    const of = (kind: ClickSymbol['kind']) =>
      (kind === 'element' ? [innermost] : around)
        .flatMap((region) => region?.symbols ?? [])
        .filter((symbol) => symbol.kind === kind)
        .map(
          ({ name, className }): Completion => ({
            ...span,
            label: name,
            kind: kind === 'class' ? 'class' : 'name',
            ...(className === undefined || className === '' ? {} : { detail: className }),
          }),
        );
    if (before.endsWith('$') || before.endsWith('${')) return of('variable');
    const classes = [...of('class'), ...builtIn.map((one): Completion => ({ ...span, ...one }))];
    if (/::\s*$/.test(before) || /\belementclass\s+\w+\s+$/.test(before)) return classes;
    if (/\brequire\s*\(\s*$/.test(before))
      return ['library', 'package'].map((label) => ({ ...span, label, kind: 'keyword' }));
    const ports = ['input', 'output'].map((label): Completion => ({ ...span, label, kind: 'keyword' }));
    if (/[-=]>\s*(?:\[[^\]]*\]\s*)?$/.test(before)) return [...of('element'), ...ports, ...classes];
    // Between parentheses stand arguments, which are up to the class.
    if (isArgument(text, offset)) return [];
    return [...of('element'), ...keywords.map((one): Completion => ({ ...span, ...one })), ...ports, ...classes];
  },

  explain: ({ text }, offset) => {
    const from = wordStart(text, offset);
    const word = /^\w+/.exec(text.slice(from, from + 64))?.[0] ?? '';
    const keyword = keywords.find(({ label }) => label === word);
    return keyword === undefined ? undefined : { from, to: from + word.length, text: keyword.documentation };
  },

  explainName: (_document, { kind, name, symbol }) => {
    const known = classes().get(kind === kinds.class ? name : (symbol?.detail ?? ''));
    // A class of the file may have the name of one of Click.
    return known === undefined || (kind === kinds.class && symbol !== undefined) ? undefined : described(known);
  },

  refuseName: (kind, name) => {
    const pattern = kind === kinds.variable ? /^\w+$/ : /^[A-Za-z_][\w@]*$/;
    if (!pattern.test(name)) return `'${name}' is no name: letters, digits and underscores, not beginning with a digit`;
    return RESERVED.has(name) ? `'${name}' is a word of the language` : undefined;
  },
};

function symbolOf({ kind, name, className }: ClickSymbol): NameSymbol {
  const detail = className === undefined ? {} : { detail: className === '' ? 'a compound of its own' : className };
  return { kind: kinds[kind], name, ...detail };
}

let known: ReadonlyMap<string, ClickClass> | undefined;
const classes = () => (known ??= clickClasses());

const places = {
  entry: 'Packets come in here.',
  exit: 'Packets leave here.',
  both: 'Packets come in and leave here.',
  inner: '',
  information: 'It has no ports.',
} as const;

function described({ does, kind }: ClickClass): string {
  const sentence = `${does.charAt(0).toUpperCase()}${does.slice(1)}.`;
  return [sentence, places[kind]].filter((text) => text !== '').join(' ');
}

const builtIn = [...classes().values()].map((one) => ({
  label: one.name,
  kind: 'class' as const,
  detail: one.does,
  documentation: described(one),
}));

const keywords = [
  {
    label: 'elementclass',
    kind: 'keyword' as const,
    documentation: '`elementclass Name { $parameter | input -> ... -> output }`: a class of compound elements.',
  },
  {
    label: 'define',
    kind: 'keyword' as const,
    documentation: '`define($name value, ...)`: a value that stands for `$name` in arguments.',
  },
  {
    label: 'require',
    kind: 'keyword' as const,
    documentation:
      '`require(library FILE)` reads a file of classes; `require(package NAME)` asks for a package of Click.',
  },
];

function wordStart(text: string, offset: number): number {
  let from = offset;
  while (from > 0 && /[\w@]/.test(text[from - 1]!)) from -= 1;
  return from;
}

const LOOKED_BACK = 4_096;

/** Whether a parenthesis is open before the offset. */
function isArgument(text: string, offset: number): boolean {
  const before = text.slice(Math.max(0, offset - LOOKED_BACK), offset);
  const open = before.lastIndexOf('(');
  return open > before.lastIndexOf(')') && open > before.lastIndexOf(';');
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
