import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

/** What is seen of a scrolling element, in pixels. */
export interface Seen {
  readonly top: number;
  readonly height: number;
}

/**
 * Follows what is seen of the element, so that of a long list only that is drawn. `topNow` is where it is scrolled to at
 * this moment, without asking the element: that would make the browser lay out the page at once.
 */
export function useScrollWindow<E extends HTMLElement>(): {
  readonly frame: RefObject<E | null>;
  readonly seen: Seen;
  readonly topNow: RefObject<number>;
} {
  const frame = useRef<E>(null);
  const topNow = useRef(0);
  const [seen, setSeen] = useState<Seen>({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = frame.current!;
    const look = () => {
      topNow.current = element.scrollTop;
      setSeen({ top: element.scrollTop, height: element.clientHeight });
    };
    // Tells the size once at the beginning, when the page is laid out anyhow.
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  return { frame, seen, topNow };
}
