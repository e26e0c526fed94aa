import { languages, type Language } from '@superfluidity/language';
import type { Point } from '../../view-model/layout.ts';
import type { TreeFile, Version } from './history.ts';
import { designLimits } from './limits.ts';

/** A design that was not saved yet: it survives a reload, and a restart of the control plane. */
export interface Draft {
  readonly text: string;
  readonly language: Language;
  readonly name?: string;
  readonly path?: string;
  readonly others?: readonly TreeFile[];
  /** The version of the catalogue that it was made from. */
  readonly base?: { readonly id: string } & Pick<Version, 'text' | 'path' | 'others'>;
  /** Where things were put by hand: by level, then by node. */
  readonly places: Readonly<Record<string, Readonly<Record<string, Point>>>>;
  readonly atMs: number;
}

type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;
const PREFIX = 'superfluidity.design.';

/** Keeps a draft, and as few others as there is room for, the oldest going first. Whether it is kept. */
export function keepDraft(storage: Storage, name: string, draft: Draft): boolean {
  const value = JSON.stringify(draft);
  if (value.length > designLimits.draftText) return false;
  const others = draftNames(storage)
    .filter((one) => one !== name)
    .map((one) => ({ one, atMs: readDraft(storage, one)?.atMs ?? 0 }))
    .toSorted((a, b) => a.atMs - b.atMs);
  for (let over = others.length + 1 - designLimits.drafts; over > 0; over -= 1)
    storage.removeItem(PREFIX + others.shift()!.one);
  for (;;) {
    try {
      storage.setItem(PREFIX + name, value);
      return true;
    } catch {
      // The browser has no more room: an older draft makes some.
      const oldest = others.shift();
      if (oldest === undefined) return false;
      storage.removeItem(PREFIX + oldest.one);
    }
  }
}

/** The draft of a design; undefined where there is none, or it is not one. Anything may have written there. */
export function readDraft(storage: Storage, name: string): Draft | undefined {
  const value = storage.getItem(PREFIX + name);
  if (value === null || value.length > designLimits.draftText) return undefined;
  try {
    const draft = JSON.parse(value) as Draft | null;
    if (draft === null || typeof draft !== 'object' || typeof draft.text !== 'string') return undefined;
    if (!languages.includes(draft.language)) return undefined;
    const { text, language, name, path, base, atMs } = draft;
    const others = treeOf(draft.others);
    const isBase = typeof base?.id === 'string' && typeof base.text === 'string';
    const places = placesOf(draft.places);
    return {
      text,
      language,
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof path === 'string' && others !== undefined ? { path, others } : {}),
      ...(isBase ? { base } : {}),
      places,
      atMs: typeof atMs === 'number' ? atMs : 0,
    };
  } catch {
    return undefined;
  }
}

function treeOf(value: unknown): readonly TreeFile[] | undefined {
  const isFile = (one: unknown): one is TreeFile =>
    typeof (one as TreeFile | null)?.path === 'string' && typeof (one as TreeFile).text === 'string';
  return Array.isArray(value) && value.every(isFile) ? value : undefined;
}

export function dropDraft(storage: Storage, name: string): void {
  storage.removeItem(PREFIX + name);
}

function draftNames(storage: Storage): readonly string[] {
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '');
  return keys.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
}

function placesOf(value: unknown): Draft['places'] {
  if (value === null || typeof value !== 'object') return {};
  const isPoint = (one: unknown): one is Point =>
    one !== null && typeof one === 'object' && Number.isFinite((one as Point).x) && Number.isFinite((one as Point).y);
  return Object.fromEntries(
    Object.entries(value).map(([level, points]) => [
      level,
      Object.fromEntries(Object.entries((points ?? {}) as object).filter(([, point]) => isPoint(point))),
    ]),
  );
}
