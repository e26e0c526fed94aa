import { ApiError, type CallReply } from '@superfluidity/api';
import type { Language } from '@superfluidity/language';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { toBase64 } from '../view-model/read-files.ts';
import type { Version } from './core/history.ts';
import { decided, mergedTree, type MergedTree } from './core/merge-tree.ts';
import { filesOf, isSame, textIn } from './core/tree.ts';
import { filesOfEntry } from './entry-files.ts';
import type { Conflict } from './merge-dialog.tsx';
import type { Design } from './use-design.ts';

/** What somebody else has saved meanwhile, and how far it is brought together with this design. */
interface Merging {
  readonly theirs: { readonly id: string; readonly version: string; readonly design: Version };
  readonly mine: Version;
  readonly base: Version | undefined;
  readonly merged: MergedTree;
}

/**
 * Saves a version after the one that the design was made from. When there is a newer one, nothing is saved, and both
 * changes are put side by side.
 */
export function useSave(design: Design, name: string, onSaved: (name: string, words: string) => void) {
  const client = useClient();
  const cache = useQueryClient();
  const [merging, setMerging] = useState<Merging>();
  const { base, history, dispatch } = design;
  const save = useMutation({
    mutationFn: async ({ version, after }: { readonly version: Version; readonly after: string }) => {
      const files = filesOf(version).map(({ path, bytes }) => ({ path, base64: toBase64(bytes) }));
      try {
        const saved = await client.call('addDescriptor', { query: { after }, body: { files } });
        return { saved, version };
      } catch (error) {
        if (!(error instanceof ApiError) || error.report.code !== 'SF-LIFECYCLE-CHANGED') throw error;
        const theirs = await client.call('getDescriptor', { params: { id: name } });
        return { theirs: { ...theirs, design: await designIn(history.now.language, theirs) }, version };
      }
    },
    onSuccess: async (result) => {
      const { version } = result;
      const language = history.now.language;
      if ('theirs' in result) {
        const { id, version: called, design: theirs } = result.theirs;
        const was = base === undefined ? undefined : { ...base, language };
        const merged = mergedTree(was, version, theirs);
        setMerging({ theirs: { id, version: called, design: theirs }, mine: version, base: was, merged });
        return;
      }
      const { saved } = result;
      setMerging(undefined);
      const isOld = saved.id === base?.id && !isSame({ ...base, language }, version);
      dispatch({ type: 'changed', version });
      dispatch({ type: 'saved', base: baseOf(saved.id, version), name: saved.name });
      await Promise.all([
        cache.invalidateQueries({ queryKey: ['descriptors'] }),
        cache.invalidateQueries({ queryKey: ['descriptor'] }),
      ]);
      const words = isOld
        ? `The catalogue has this service already, as ${saved.version}: comments alone make no version`
        : `Saved as ${saved.version}`;
      onSaved(saved.name, words);
    },
  });
  return {
    save: () => save.mutate({ version: history.now, after: base?.id ?? 'none' }),
    /** What was merged comes after theirs, as soon as all is decided. */
    saveBoth: (text: string) => {
      const merged = decided(merging!.merged, text);
      if (merged.undecided.length > 0) setMerging({ ...merging!, merged });
      else save.mutate({ version: merged.version, after: merging!.theirs.id });
    },
    takeTheirs: () => {
      const { id, design: theirs } = merging!.theirs;
      dispatch({ type: 'changed', version: theirs });
      dispatch({ type: 'saved', base: baseOf(id, theirs), name });
      setMerging(undefined);
    },
    leave: () => setMerging(undefined),
    conflict: merging === undefined ? undefined : conflictOf(merging),
    pending: save.isPending,
    error: save.error,
    forget: () => save.reset(),
  };
}

/** What a design is compared with to see whether it was saved. */
export function baseOf(id: string, { text, path, others }: Version): NonNullable<Design['base']> {
  return { id, text, ...(path === undefined || others === undefined ? {} : { path, others }) };
}

/** The file that is decided next. */
function conflictOf({ theirs, mine, base, merged }: Merging): Conflict {
  const file = merged.undecided[0]!;
  const isTree = mine.others !== undefined;
  const own = isTree ? textIn(mine, file) : mine.text;
  const was = base === undefined ? '' : isTree ? textIn(base, file) : base.text;
  const other = isTree ? textIn(theirs.design, file) : theirs.design.text;
  return {
    base: was ?? '',
    mine: own ?? '',
    theirs: { id: theirs.id, version: theirs.version, text: other ?? '' },
    with: (text) => decided(merged, text).version,
    ...(isTree ? { file } : {}),
  };
}

/** What they saved, in the language of this design where it is another dialect. */
async function designIn(language: Language, entry: CallReply<'getDescriptor'>): Promise<Version> {
  if (entry.format === language && entry.files === undefined) return { text: entry.source, language };
  const { importFiles } = await import('./import-files.ts');
  const { version } = await importFiles(filesOfEntry(entry));
  return version?.language === language ? version : { text: entry.source, language };
}
