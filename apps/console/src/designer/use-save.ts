import { ApiError } from '@superfluidity/api';
import type { Language } from '@superfluidity/language';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useClient } from '../data/session.tsx';
import { toBase64 } from '../view-model/read-files.ts';
import { fileOf } from './core/reading.ts';
import type { Conflict } from './merge-dialog.tsx';
import type { Design } from './use-design.ts';

/**
 * Saves a version after the one that the design was made from. When there is a newer one, nothing is saved, and both
 * changes are put side by side.
 */
export function useSave(design: Design, name: string, onSaved: (name: string, words: string) => void) {
  const client = useClient();
  const cache = useQueryClient();
  const [conflict, setConflict] = useState<Conflict>();
  const { base, history, dispatch } = design;
  const save = useMutation({
    mutationFn: async ({ text, after }: { readonly text: string; readonly after: string }) => {
      const path = fileOf(history.now);
      const files = [{ path, base64: toBase64(new TextEncoder().encode(text)) }];
      try {
        const saved = await client.call('addDescriptor', { query: { after }, body: { files } });
        return { saved, text };
      } catch (error) {
        if (!(error instanceof ApiError) || error.report.code !== 'SF-LIFECYCLE-CHANGED') throw error;
        const { id, version, source, format } = await client.call('getDescriptor', { params: { id: name } });
        return { theirs: { id, version, text: await textIn(history.now.language, source, format) }, text };
      }
    },
    onSuccess: async (result) => {
      if ('theirs' in result) {
        setConflict({ base: base?.text ?? '', theirs: result.theirs });
        return;
      }
      const { saved, text } = result;
      setConflict(undefined);
      const isOld = saved.id === base?.id && base.text !== text;
      dispatch({ type: 'changed', version: { ...history.now, text } });
      dispatch({ type: 'saved', base: { id: saved.id, text }, name: saved.name });
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
    save: () => save.mutate({ text: history.now.text, after: base?.id ?? 'none' }),
    /** What was merged comes after theirs. */
    saveBoth: (text: string) => save.mutate({ text, after: conflict!.theirs.id }),
    takeTheirs: () => {
      const { id, text } = conflict!.theirs;
      dispatch({ type: 'changed', version: { ...history.now, text } });
      dispatch({ type: 'saved', base: { id, text }, name });
      setConflict(undefined);
    },
    leave: () => setConflict(undefined),
    conflict,
    pending: save.isPending,
    error: save.error,
    forget: () => save.reset(),
  };
}

/** What they saved, in the language of this design where it is another dialect. */
async function textIn(language: Language, source: string, format: string): Promise<string> {
  if (format === language) return source;
  const { importFiles } = await import('./import-files.ts');
  const { version } = await importFiles([{ path: 'theirs.yaml', bytes: new TextEncoder().encode(source) }]);
  return version?.language === language ? version.text : source;
}
