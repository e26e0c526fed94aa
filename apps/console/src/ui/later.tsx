import { type ReactNode, startTransition, useEffect, useState } from 'react';

/** In a tab that is not seen no frame is painted; what waits for one comes after this time. */
const UNSEEN_MS = 500;

/** What comes after that beside which it stands was painted: people see first what they came for. */
export function Later(props: { readonly children: ReactNode; readonly meanwhile?: ReactNode }) {
  const [isTime, setTime] = useState(false);
  useEffect(() => {
    const come = () => startTransition(() => setTime(true));
    let painted: ReturnType<typeof setTimeout> | undefined;
    const frame = requestAnimationFrame(() => {
      painted = setTimeout(come);
    });
    const unseen = setTimeout(come, UNSEEN_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(painted);
      clearTimeout(unseen);
    };
  }, []);
  return isTime ? props.children : props.meanwhile;
}
