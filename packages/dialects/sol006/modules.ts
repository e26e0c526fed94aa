import type { Path, YamlText } from '../yaml-text.ts';
import { isGroup } from './style.ts';

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) => (isGroup(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined),
    value,
  );
}

/**
 * The text with the names of its fields freed from the names of YANG modules: RFC 7951, clause 4, demands them where the
 * module changes, and most people leave them out. Positions stay those of the text.
 */
export function withoutModules(text: YamlText): YamlText {
  return {
    ...text,
    value: unqualified(text.value),
    locate: (path, what) => text.locate(spelled(text.value, path), what),
    within: (path, line, column) => text.within(spelled(text.value, path), line, column),
  };
}

/** Of other modules nothing is read: what they add keeps its name. */
const KNOWN_MODULE = /^(?:etsi-nfv-[\w-]+|superfluidity-nfv|nfv|nsd|vnfd|sf):/;
const plain = (name: string) => (name.includes(':') ? name.replace(KNOWN_MODULE, '') : name);

/** What has no such names stays the same value. */
function unqualified(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(unqualified);
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  if (!isGroup(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [plain(name), unqualified(inner)] as const);
  const same = entries.every(([name, inner]) => value[name] === inner);
  return same ? value : Object.fromEntries(entries);
}

/** The path with its names as they are spelled in the value. */
function spelled(value: unknown, path: Path): Path {
  let inner = value;
  return path.map((part) => {
    const group = isGroup(inner) ? inner : undefined;
    const name =
      typeof part === 'number' ? part : (Object.keys(group ?? {}).findLast((one) => plain(one) === part) ?? part);
    inner = (inner as Record<string | number, unknown> | null | undefined)?.[name];
    return name;
  });
}
