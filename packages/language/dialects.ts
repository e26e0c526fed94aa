import { dialects, readIn, recognise } from '@superfluidity/dialects';
import { DialectNames, withoutModule } from './dialects/names.ts';
import { rules } from './dialects/rules.ts';
import { dialectLanguages, type DialectLanguage, type LanguageDocument } from './document.ts';
import type { LanguageSupport } from './support.ts';
import { type JsonSchema, Schema } from './yaml/schema.ts';
import { structured } from './yaml/structured.ts';

/** What editors ask of the texts of other dialects. Apart from the rest: all their readers and schemas come with it. */

const isXml = ({ text }: LanguageDocument): boolean => /^\s*</.test(text);

function supportOf(language: DialectLanguage): LanguageSupport {
  const names = new DialectNames(rules[language]);
  let schema: Schema | undefined;
  let tree: ReturnType<typeof structured> | undefined;
  const own = () => {
    const [root] = Object.values(dialects.find(({ format }) => format === language)?.schemas ?? {});
    schema ??= root === undefined ? undefined : new Schema(root as JsonSchema, withoutModule);
    return (tree ??= structured({
      schema,
      namesAt: (document, place) => names.at(document, place),
      isNamed: (path) => names.isNamed(path),
    }));
  };
  return {
    read: ({ path, text, beside = [] }) => {
      const file = { path, bytes: new TextEncoder().encode(text) };
      // Of the files beside it, those that are of the same service: templates that it names, and descriptors of its kind.
      const others = beside.filter(
        (one) => one.path !== path && (isNamed(text, one.path) || recognise([one]) === language),
      );
      return readIn(language, [file, ...others]);
    },
    names: (document) => (isXml(document) ? [] : names.all(document)),
    complete: (document, offset) => (isXml(document) ? [] : own().complete(document, offset)),
    explain: (document, offset) => (isXml(document) ? undefined : own().explain(document, offset)),
    refuseName: (_kind, name) =>
      name !== '' && !/[\s{}[\],]/.test(name)
        ? undefined
        : `'${name}' is no name: it has spaces or brackets, or nothing`,
  };
}

const isNamed = (text: string, path: string): boolean => text.includes(path.slice(path.lastIndexOf('/') + 1));

export const dialectSupports = Object.fromEntries(
  dialectLanguages.map((language) => [language, supportOf(language)]),
) as Readonly<Record<DialectLanguage, LanguageSupport>>;

/** The dialect of a file that is none of those that people write by hand; undefined where it is of none. */
export function dialectLanguageOf(path: string, text: string): DialectLanguage | undefined {
  const format = recognise([{ path, bytes: new TextEncoder().encode(text) }]);
  return dialectLanguages.find((one) => one === format);
}
