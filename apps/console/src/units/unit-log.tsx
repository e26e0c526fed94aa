import { SearchInput, Switch } from '@patternfly/react-core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { wholeLog } from '../data/whole-log.ts';
import { ReasonButton } from '../ui/action-button.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { useScrollWindow } from '../ui/scroll-window.ts';
import { formatCount } from '../view-model/format.ts';
import { appended, emptyLog, linesWith, LOG_LIMITS } from '../view-model/log-buffer.ts';
import type { Permission } from '../view-model/permitted.ts';
import { windowOf } from '../view-model/window.ts';

const POLL_MS = 1_500;
const NEXT_PAGE_MS = 20;
const LINE_HEIGHT = 18;
const NOTHING_TO_SAVE: Permission = { allowed: false, reason: 'It has printed nothing yet.' };

/** What a unit prints, as it prints it. Of a log of any length only what is seen is in the page. */
export function UnitLog({ service, unit }: { readonly service: string; readonly unit: string }) {
  const client = useClient();
  const [log, setLog] = useState(emptyLog);
  const [error, setError] = useState<unknown>();
  const [text, setText] = useState('');
  const [follow, setFollow] = useState(true);
  useEffect(() => {
    let over = false;
    let offset = 0;
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      let more = false;
      try {
        const { lines, next } = await client.call('readUnitOutput', {
          params: { name: service, unit },
          query: { offset },
        });
        if (over) return;
        more = next !== offset && lines.length > 0;
        offset = next;
        setLog((before) => appended(before, lines, next));
        setError(undefined);
      } catch (caught) {
        if (!over) setError(caught);
      }
      // What was printed before comes page by page, as fast as it is drawn.
      if (!over) timer = setTimeout(read, more ? NEXT_PAGE_MS : POLL_MS);
    };
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, service, unit]);

  const shown = useMemo(() => linesWith(log, text), [log, text]);
  const { frame, seen } = useScrollWindow<HTMLDivElement>();
  useLayoutEffect(() => {
    if (follow) frame.current!.scrollTop = frame.current!.scrollHeight;
  }, [follow, shown, frame]);
  const lastTop = useRef(0);
  const { first, last } = windowOf(seen, LINE_HEIGHT, shown.length);
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await wholeLog(client, service, unit));
      link.download = `${unit}.log`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (caught) {
      setError(caught);
    } finally {
      setSaving(false);
    }
  };
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = frame.current!;
    const atEnd = scrollHeight - scrollTop - clientHeight < LINE_HEIGHT;
    // Who scrolls up wants to read there; who comes back to the end wants to see what follows.
    if (scrollTop < lastTop.current && !atEnd) setFollow(false);
    else if (atEnd) setFollow(true);
    lastTop.current = scrollTop;
  };
  return (
    <div className="sf-log">
      <div className="sf-log__bar">
        <SearchInput
          aria-label="Lines with"
          placeholder="Lines with"
          value={text}
          onChange={(_event, value) => setText(value)}
          onClear={() => setText('')}
        />
        <Switch label="Follow" isChecked={follow} onChange={(_event, on) => setFollow(on)} />
        <ReasonButton
          variant="secondary"
          size="sm"
          permission={log.lines.length === 0 ? NOTHING_TO_SAVE : { allowed: true }}
          isLoading={saving}
          onClick={() => void save()}
        >
          Save all
        </ReasonButton>
      </div>
      {error !== undefined && <ErrorView error={errorBodyOf(error)} title="The output cannot be read" />}
      <p className="sf-subtle" aria-live="polite" data-lines={log.lines.length}>
        {log.lines.length === 0
          ? 'It has printed nothing.'
          : `${formatCount(shown.length)} of ${formatCount(log.lines.length)} lines${log.from > 0 ? `, the last of more than ${formatCount(LOG_LIMITS.linesKept)}` : ''}`}
      </p>
      <div
        ref={frame}
        className="sf-log__lines"
        onScroll={scrolled}
        tabIndex={0}
        role="log"
        aria-label={`Output of ${unit}`}
      >
        <div style={{ blockSize: shown.length * LINE_HEIGHT }}>
          <pre style={{ transform: `translateY(${first * LINE_HEIGHT}px)` }}>
            {shown
              .slice(first, last)
              .map((i) => log.lines[i])
              .join('\n')}
          </pre>
        </div>
      </div>
    </div>
  );
}
