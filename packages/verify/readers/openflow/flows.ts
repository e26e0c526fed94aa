import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { readActions } from './actions.ts';
import type { Flow } from './flow.ts';
import { readMatch } from './matches.ts';
import { splitList } from './split.ts';
import { asListed } from './tags.ts';

const HEADER = /^(?:NXST|OFPST|OFPST13|OFPST15)_FLOW\w* reply/;
const ACTIONS = /(?:^|[\s,])actions?=/;

export function looksLikeFlows(text: string): boolean {
  return text
    .slice(0, 4_096)
    .split('\n', 20)
    .some((line) => HEADER.test(line.trim()) || (/\b(?:priority|cookie|table)=/.test(line) && ACTIONS.test(line)));
}

/** `ovs-ofctl dump-flows`, with numbers or names, with or without statistics; also the files that `add-flows` takes. */
export function readFlows(file: InputFile): Reading<readonly Flow[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ovs-ofctl dump-flows', lines.length);
  const flows: Flow[] = [];
  lines.forEach((text, i) => {
    const line = i + 1;
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    if (HEADER.test(trimmed)) {
      ledger.withoutEffect(line, 'a heading');
      return;
    }
    const at = ACTIONS.exec(trimmed);
    const words = at === null ? undefined : splitList(trimmed.slice(0, at.index).replace(/[\s,]+/g, ','));
    const match = words === undefined ? undefined : readMatch(words);
    if (at === null || match === undefined) {
      ledger.notUnderstood(line, 'not a flow');
      flows.push(lost(ledger.at(line, trimmed)));
      return;
    }
    const { etherType, ...rest } = match;
    const actions = asListed(match.matches, readActions(trimmed.slice(at.index + at[0].length), etherType));
    const unknown = [...match.doubts, ...actions.flatMap((action) => (action.kind === 'doubt' ? [action.what] : []))];
    if (unknown.length === 0) ledger.used(line);
    else ledger.notUnderstood(line, unknown.join('; '));
    flows.push({ ...rest, actions, source: ledger.at(line, trimmed) });
  });
  return { value: flows, reading: ledger.reading() };
}

/** A flow of which nothing is known: every packet of the bridge may meet it. */
function lost(source: Flow['source']): Flow {
  return { table: 0, priority: 65_535, matches: [], actions: [], doubts: ['the whole line'], source };
}
