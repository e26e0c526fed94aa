import { amend, readIn, readNative, writeNative } from '@superfluidity/dialects';
import { readNativeDraft } from '@superfluidity/dialects/languages';
import { addLanguages, type DialectLanguage } from '@superfluidity/language';
import { dialectSupports } from '@superfluidity/language/dialects';
import type { Others } from './others.ts';
import type { Reading } from './reading.ts';
import { filesOf, withFiles } from './tree.ts';

/**
 * Texts of other dialects. Graph and forms work on what such a text comes to as a native descriptor; what they change of that
 * is brought into the text in the words of its dialect.
 */
export const dialectTexts: Others = {
  read: (version) => {
    const { service, draft, problems, locate } = readIn(version.language as DialectLanguage, filesOf(version));
    const drawn = service ?? draft;
    const rest = drawn === undefined ? { documentPath: () => [] } : nativeOf(writeNative(drawn));
    return { version, problems, ...rest, ...(locate === undefined ? {} : { locate }) } satisfies Reading;
  },

  amend: ({ version, native }, changed) => {
    if (changed === native) return { text: version.text };
    const { service, problems } = readNative(changed);
    if (service === undefined) {
      const error = problems.find(({ severity }) => severity === 'error');
      return { refused: error?.message ?? 'what would come out of it cannot be read' };
    }
    const done = amend(filesOf(version), version.language as DialectLanguage, service);
    if ('refused' in done) return done;
    const next = withFiles(version, done.files);
    return { text: next.text, version: next, losses: done.losses };
  },
};

addLanguages(dialectSupports);

function nativeOf(native: string): Pick<Reading, 'native' | 'documentPath' | 'service'> {
  const { service, documentPath } = readNativeDraft(native);
  return { native, documentPath, ...(service === undefined ? {} : { service }) };
}
