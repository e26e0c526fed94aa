import { Button, SearchInput, Switch } from '@patternfly/react-core';
import { useEffect, useLayoutEffect, useMemo, useState } from 'react';
import { useClient } from '../data/session.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { useScrollWindow } from '../ui/scroll-window.ts';
import { formatCount } from '../view-model/format.ts';
import { appended, emptyLog, linesWith, LOG_LIMITS } from '../view-model/log-buffer.ts';
import { windowOf } from '../view-model/window.ts';

const POLL_MS = 1_500;
const LINE_HEIGHT = 18;

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
      try {
        const { lines, next } = await client.call('readUnitOutput', {
          params: { name: service, unit },
          query: { offset },
        });
        if (over) return;
        offset = next;
        setLog((before) => appended(before, lines, next));
        setError(undefined);
      } catch (caught) {
        if (!over) setError(caught);
      }
      if (!over) timer = setTimeout(read, POLL_MS);
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
  const { first, last } = windowOf(seen, LINE_HEIGHT, shown.length);
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([log.lines.join('\n')], { type: 'text/plain' }));
    link.download = `${unit}.log`;
    link.click();
    URL.revokeObjectURL(link.href);
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
        <Button variant="secondary" size="sm" onClick={save} isDisabled={log.lines.length === 0}>
          Save
        </Button>
      </div>
      {error !== undefined && <ErrorView error={errorBodyOf(error)} title="The output cannot be read" />}
      <p className="sf-subtle" aria-live="polite" data-lines={log.lines.length}>
        {log.lines.length === 0
          ? 'It has printed nothing.'
          : `${formatCount(shown.length)} of ${formatCount(log.lines.length)} lines${log.from > 0 ? `, the last of more than ${formatCount(LOG_LIMITS.linesKept)}` : ''}`}
      </p>
      <div ref={frame} className="sf-log__lines" tabIndex={0} role="log" aria-label={`Output of ${unit}`}>
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
