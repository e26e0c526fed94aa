import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { windowOf } from '../view-model/window.ts';
import { useScrollWindow } from './scroll-window.ts';

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
  const { frame, seen, topNow } = useScrollWindow<HTMLOListElement>();
  const firstKey = useRef<number>(undefined);

  useLayoutEffect(() => {
    const known = firstKey.current;
    firstKey.current = items[0] === undefined ? undefined : keyOf(items[0]);
    if (known === undefined || topNow.current < rowHeight) return;
    const added = items.findIndex((item) => keyOf(item) === known);
    if (added > 0) frame.current!.scrollTop += added * rowHeight;
  }, [items, keyOf, rowHeight, frame, topNow]);

  const { first, last } = windowOf(seen, rowHeight, items.length);
  const blank = (rows: number) => rows > 0 && <li aria-hidden style={{ blockSize: rows * rowHeight }} />;
  return (
    // A scrolling region has to be reachable by keyboard.
    <ol ref={frame} className={className} aria-label={label} tabIndex={0}>
      {blank(first)}
      {items
        .slice(first, last)
        .map((item, i) => row(item, { 'aria-posinset': first + i + 1, 'aria-setsize': items.length }))}
      {blank(items.length - last)}
    </ol>
  );
}
