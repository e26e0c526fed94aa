import { type ReactNode, useId } from 'react';

/** A card of the page: a heading, what belongs beside it, and a body whose height the grid decides. */
export function Panel(props: {
  readonly title: string;
  /** Next to the heading. */
  readonly beside?: ReactNode;
  readonly aside?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={`sf-panel ${props.className ?? ''}`} aria-labelledby={id}>
      <header className="sf-panel__head">
        <h2 id={id}>{props.title}</h2>
        {props.beside}
        <div className="sf-panel__aside">{props.aside}</div>
      </header>
      <div className="sf-panel__body">{props.children}</div>
    </section>
  );
}
