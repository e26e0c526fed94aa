import { SearchInput } from '@patternfly/react-core';
import { useEffect, useRef, useState } from 'react';

/** The first letter is asked for at once, what is typed on after it in this time. */
const SEARCH_PAUSE_MS = 120;

export function ListSearch(props: {
  readonly label: string;
  readonly words: string;
  readonly value: string;
  readonly onChange: (value: string | undefined) => void;
}) {
  const [text, setText] = useState(props.value);
  const sent = useRef(props.value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Changed from elsewhere: back, or "clear all filters".
  useEffect(() => {
    if (props.value === sent.current) return;
    sent.current = props.value;
    setText(props.value);
  }, [props.value]);
  // What was typed here is not asked of the page that comes next.
  useEffect(() => () => clearTimeout(timer.current), []);
  const typedAt = useRef(-Infinity);
  const type = (value: string, atOnce = false) => {
    setText(value);
    clearTimeout(timer.current);
    const now = performance.now();
    const pauseMs = atOnce || now - typedAt.current > 2 * SEARCH_PAUSE_MS ? 0 : SEARCH_PAUSE_MS;
    typedAt.current = now;
    timer.current = setTimeout(() => {
      sent.current = value;
      props.onChange(value === '' ? undefined : value);
    }, pauseMs);
  };
  return (
    <SearchInput
      aria-label={props.label}
      placeholder={props.words}
      value={text}
      onChange={(_event, value) => type(value)}
      onClear={() => type('', true)}
      data-list-search
    />
  );
}
