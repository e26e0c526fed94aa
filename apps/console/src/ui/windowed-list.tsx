import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

/** Rows beyond the edges, so that scrolling shows no gaps before the next frame. */
const MARGIN_ROWS = 8;

interface WindowedListProps<T> {
  readonly label: string;
  readonly className: string;
  /** All of the same height. */
  readonly rowHeight: number;
  readonly items: readonly T[];
  readonly keyOf: (item: T) => number;
  /** Gives an `li`. */
  readonly row: (item: T, place: { readonly 'aria-posinset': number; readonly 'aria-setsize': number }) => ReactNode;
}

/**
 * A list of any length of which only what is seen is in the page. New items come at its top; who has scrolled down keeps
 * before the eyes what is being read.
 */
export function WindowedList<T>({ label, className, rowHeight, items, keyOf, row }: WindowedListProps<T>) {
  const list = useRef<HTMLOListElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 0 });
  const firstKey = useRef<number>(undefined);

  useLayoutEffect(() => {
    const element = list.current!;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  useLayoutEffect(() => {
    const element = list.current!;
    const known = firstKey.current;
    firstKey.current = items[0] === undefined ? undefined : keyOf(items[0]);
    if (known === undefined || element.scrollTop < rowHeight) return;
    const added = items.findIndex((item) => keyOf(item) === known);
    if (added > 0) element.scrollTop += added * rowHeight;
  }, [items, keyOf, rowHeight]);

  const first = Math.max(0, Math.floor(seen.top / rowHeight) - MARGIN_ROWS);
  const last = Math.min(items.length, Math.ceil((seen.top + seen.height) / rowHeight) + MARGIN_ROWS);
  const blank = (rows: number) => rows > 0 && <li aria-hidden style={{ blockSize: rows * rowHeight }} />;
  return (
    // A scrolling region has to be reachable by keyboard.
    <ol ref={list} className={className} aria-label={label} tabIndex={0}>
      {blank(first)}
      {items
        .slice(first, last)
        .map((item, i) => row(item, { 'aria-posinset': first + i + 1, 'aria-setsize': items.length }))}
      {blank(items.length - last)}
    </ol>
  );
}
