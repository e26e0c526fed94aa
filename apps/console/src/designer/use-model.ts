import { type DescriptionModel, readDescriptionModel } from '@superfluidity/dialects/languages';
import { complete, isOwnLanguage } from '@superfluidity/language';
import { useDeferredValue, useMemo, useState } from 'react';
import { nemoPalette } from './core/nemo-edits.ts';
import type { Drawn } from './core/operations.ts';
import { entriesOf, type PaletteEntry } from './core/palette.ts';
import usual from './models/superfluidity.yaml?raw';

const KEY = 'superfluidity.designer.model';
const MODEL_MAX = 200_000;

function modelOf(text: string): { readonly model: DescriptionModel } | { readonly refused: string } {
  if (text.length > MODEL_MAX) return { refused: `the model has more than ${MODEL_MAX} characters` };
  const { model, problems } = readDescriptionModel({ path: 'model.yaml', bytes: new TextEncoder().encode(text) });
  if (model !== undefined) return { model };
  const [first] = problems;
  const where = first?.position === undefined ? '' : ` in line ${first.position.line}`;
  return { refused: `it is no description model: ${first?.message ?? 'nothing in it'}${where}` };
}

/** What may be drawn: the model of this project, or one that somebody has brought, which the browser keeps. */
export function useModel() {
  const [text, setText] = useState(() => localStorage.getItem(KEY) ?? usual);
  // What is in the design is drawn first, and read after that what could be added to it.
  const shown = useDeferredValue(text, '');
  const model = useMemo(() => {
    if (shown === '') return undefined;
    const read = modelOf(shown);
    if ('model' in read) return read.model;
    const fallback = modelOf(usual);
    return 'model' in fallback ? fallback.model : undefined;
  }, [shown]);
  return {
    model,
    isOwn: text !== usual,
    /** Why it is not taken, or undefined. */
    bring: (given: string): string | undefined => {
      const read = modelOf(given);
      if ('refused' in read) return read.refused;
      localStorage.setItem(KEY, given);
      setText(given);
      return undefined;
    },
    leave: () => {
      localStorage.removeItem(KEY);
      setText(usual);
    },
  };
}

/** What the palette has: of a program, the classes of Click; of a script, the types of NEMO; else what the model says. */
export function paletteOf(model: DescriptionModel | undefined, design: Drawn): readonly PaletteEntry[] {
  const { level, reading } = design;
  if (level.isProgram) return clickEntries();
  if (reading.version.language === 'nemo') return nemoPalette(design);
  if (reading.version.language === 'click') return [];
  const entries = model === undefined ? [] : entriesOf(model, level.open.block.kind);
  return isOwnLanguage(reading.version.language) ? entries : entries.flatMap(elsewhere);
}

/** In other dialects stands what other sites run: machines and containers of images that they know. */
function elsewhere({ template, ...entry }: PaletteEntry): readonly PaletteEntry[] {
  const { environment } = template;
  const isPlace = entry.kind === 'network' || entry.kind === 'port';
  if (isPlace) return [{ ...entry, template }];
  const runs = environments[environment as keyof typeof environments];
  return runs === undefined ? [] : [{ ...entry, template: { name: template['name'], environment, ...runs } }];
}

const environments = {
  vm: { image: 'name:debian-12', requirements: { cpu: 1, memoryMiB: 1024 } },
  container: { image: 'name:docker.io/library/nginx:1.29' },
  pod: { image: 'name:docker.io/library/nginx:1.29' },
} as const;

let known: readonly PaletteEntry[] | undefined;
const clickEntries = (): readonly PaletteEntry[] =>
  (known ??= complete({ path: 'program.click', text: '', language: 'click' }, 0)
    .filter(({ kind }) => kind === 'class')
    .map(({ label, detail }) => ({
      id: `click:${label}`,
      label,
      kind: 'element' as const,
      template: { carried: { click: { class: label } } },
      ...(detail === undefined ? {} : { about: detail }),
    })));
