import { useCallback, useDeferredValue, useEffect, useEffectEvent, useMemo, useReducer, useRef, useState } from 'react';
import type { Point } from '../view-model/layout.ts';
import { type Draft, dropDraft, keepDraft, readDraft } from './core/draft.ts';
import { begun, changed, type History, redone, typed, undone, type Version } from './core/history.ts';
import { type Done, drawn, type Drawn } from './core/operations.ts';
import { type Reading, readVersion } from './core/reading.ts';
import { isSame, withText } from './core/tree.ts';

/** What a design begins as: a version of the catalogue, a template, or a draft of either. */
export interface Beginning {
  /** Under which its draft is kept. */
  readonly key: string;
  readonly version: Version;
  readonly base?: Draft['base'];
}

interface State {
  /** Under which its draft is kept: of a new design, the name with which it was saved. */
  readonly key: string;
  readonly history: History;
  readonly base: Draft['base'];
  readonly places: Draft['places'];
  /** Whether there is something that the catalogue does not have. */
  readonly fromDraft: boolean;
}

type Action =
  | { readonly type: 'typed'; readonly text: string; readonly file: string; readonly atMs: number }
  | { readonly type: 'changed'; readonly version: Version }
  | { readonly type: 'undo' | 'redo' }
  | { readonly type: 'saved'; readonly base: NonNullable<Draft['base']>; readonly name: string }
  | { readonly type: 'moved'; readonly level: string; readonly places: Readonly<Record<string, Point>> }
  | { readonly type: 'unplaced'; readonly level: string }
  | { readonly type: 'begun'; readonly beginning: Beginning };

function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'typed':
      return {
        ...state,
        history: typed(state.history, withText(state.history.now, action.file, action.text), action.atMs),
      };
    case 'changed':
      return { ...state, history: changed(state.history, action.version) };
    case 'undo':
      return { ...state, history: undone(state.history) };
    case 'redo':
      return { ...state, history: redone(state.history) };
    case 'saved':
      return { ...state, base: action.base, key: action.name, fromDraft: false };
    case 'moved': {
      const level = { ...state.places[action.level], ...action.places };
      return { ...state, places: { ...state.places, [action.level]: level } };
    }
    case 'unplaced': {
      const { [action.level]: _placed, ...others } = state.places;
      return { ...state, places: others };
    }
    case 'begun':
      return fresh(action.beginning);
  }
}

const fresh = ({ key, version, base }: Beginning): State => ({
  key,
  history: begun(version),
  base,
  places: {},
  fromDraft: false,
});

function initial(beginning: Beginning): State {
  const draft = readDraft(localStorage, beginning.key);
  if (draft === undefined) return fresh(beginning);
  const { base, places, atMs: _atMs, ...version } = draft;
  const isOld = isSame(version, beginning.version) && base?.id === beginning.base?.id;
  return { key: beginning.key, history: begun(version), base, places, fromDraft: !isOld };
}

const KEEP_MS = 400;

export interface Design {
  readonly history: History;
  readonly base: Draft['base'];
  readonly places: Draft['places'];
  readonly fromDraft: boolean;
  readonly isSaved: boolean;
  /** False when the browser has no room for the draft. */
  readonly isKept: boolean;
  readonly reading: Reading;
  /** What can be drawn: of the last text that could be read. */
  readonly drawn: Drawn | undefined;
  /** Whether what is drawn is of an older text. */
  readonly isStale: boolean;
  readonly dispatch: (action: Action) => void;
  /** Forgets the draft: it is not wanted. */
  readonly drop: () => void;
  /** Changes the text as it is now, unless something is lost by that. Returns why not, or what is selected then. */
  readonly edit: (change: (design: Drawn) => Done) => Done;
}

/** One design: its text, what it says, and what was done with it. It survives a reload and a restart of the control plane. */
export function useDesign(beginning: Beginning, path: string): Design {
  const [state, dispatch] = useReducer(reduce, beginning, initial);
  const { history, base, places, key } = state;
  const version = useDeferredValue(history.now);
  const reading = useMemo(() => readVersion(version), [version]);
  const [lastGood, setLastGood] = useState<Reading>();
  if (reading.service !== undefined && lastGood !== reading) setLastGood(reading);
  const shown = reading.service === undefined ? lastGood : reading;
  const isStale = reading.service === undefined && lastGood !== undefined;
  const design = useMemo(() => (shown === undefined ? undefined : drawn(shown, path)), [shown, path]);
  const isSaved = base !== undefined && isSame({ ...base, language: history.now.language }, history.now);

  const [isKept, setKept] = useState(true);
  const dropped = useRef(false);
  const drop = useCallback(() => {
    dropped.current = true;
    dropDraft(localStorage, key);
  }, [key]);
  const keep = useEffectEvent(() => {
    if (dropped.current) return;
    if (key !== beginning.key) dropDraft(localStorage, beginning.key);
    if (isSaved && Object.keys(places).length === 0) dropDraft(localStorage, key);
    else {
      setKept(
        keepDraft(localStorage, key, {
          ...history.now,
          ...(base === undefined ? {} : { base }),
          places,
          atMs: Date.now(),
        }),
      );
    }
  });
  useEffect(() => {
    const timer = setTimeout(keep, KEEP_MS);
    return () => clearTimeout(timer);
  }, [history.now, base, places]);
  useEffect(() => {
    const leave = () => keep();
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('pagehide', leave);
      leave();
    };
  }, []);

  const edit = useCallback(
    (change: (design: Drawn) => Done): Done => {
      const now = design?.reading.version === history.now ? design : drawn(readVersion(history.now), path);
      if (now === undefined) return { refused: 'the text cannot be read: mend it first' };
      const done = change(now);
      // What would be lost is for a person to decide.
      if ('text' in done && (done.losses ?? []).length === 0)
        dispatch({ type: 'changed', version: done.version ?? { ...history.now, text: done.text } });
      return done;
    },
    [design, history.now, path],
  );
  return {
    history,
    base,
    places,
    fromDraft: state.fromDraft,
    isSaved,
    isKept,
    reading,
    drawn: design,
    isStale,
    dispatch,
    edit,
    drop,
  };
}
