import { Button, Spinner, Switch } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { terminalMay } from '../view-model/permitted.ts';
import { keptTerminal, kindWords, type TerminalState } from '../view-model/terminal-state.ts';

const TerminalScreen = lazy(() => import('./terminal-screen.tsx'));
const CLOSED: TerminalState = { at: 'closed' };

/** A terminal in a unit, opened when somebody asks for it and not before: who opened it is written down. */
export function UnitTerminal({ service, unit }: { readonly service: string; readonly unit: string }) {
  const offer = useQuery(useQueriesOf().terminal(service, unit));
  const [state, setState] = useState<TerminalState>(() =>
    keptTerminal.read(sessionStorage, service, unit) === undefined ? CLOSED : { at: 'opening' },
  );
  const [turn, setTurn] = useState(state.at === 'closed' ? 0 : 1);
  const [screenReader, setScreenReader] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  const isOpen = state.at !== 'closed' && state.at !== 'over';
  const open = () => {
    setTurn(turn + 1);
    setState({ at: 'opening' });
  };
  // What was offered stays while the control plane is away: there may be a terminal below, or the end of one to be read.
  if (offer.data === undefined) {
    if (offer.error === null) return <Spinner size="md" aria-label="Asking for a terminal" />;
    return <ErrorView error={errorBodyOf(offer.error)} title="Nobody knows of a terminal" />;
  }
  const may = terminalMay(offer.data);
  return (
    <div className="sf-terminal" data-terminal-state={state.at}>
      <div ref={bar} className="sf-terminal__bar">
        {isOpen ? (
          <Button variant="secondary" size="sm" onClick={() => setState(CLOSED)}>
            Close the terminal
          </Button>
        ) : (
          <ActionButton variant="primary" size="sm" permission={may} onClick={open}>
            {turn === 0 ? 'Open a terminal' : 'Open another one'}
          </ActionButton>
        )}
        <Switch label="For a screen reader" isChecked={screenReader} onChange={(_event, on) => setScreenReader(on)} />
      </div>
      <p className="sf-subtle" role="status">
        {words(state, may.allowed ? undefined : may.reason, offer.data.kind)}
      </p>
      {state.at !== 'closed' && (
        <Suspense fallback={<Spinner size="md" aria-label="Loading the terminal" />}>
          <TerminalScreen
            key={turn}
            service={service}
            unit={unit}
            screenReader={screenReader}
            onState={setState}
            onLeave={() => bar.current?.querySelector('button')?.focus()}
          />
        </Suspense>
      )}
    </div>
  );
}

function words(state: TerminalState, whyNot: string | undefined, kind: keyof typeof kindWords | undefined): string {
  switch (state.at) {
    case 'closed':
      return whyNot ?? (kind === undefined ? '' : kindWords[kind]);
    case 'opening':
      return 'It is being opened.';
    case 'open':
      return 'Open. F6 leaves it by keyboard; all other keys, Tab too, go to the program.';
    case 'joining':
      return 'The connection was lost. It is being joined anew.';
    case 'over':
      return state.how;
  }
}
