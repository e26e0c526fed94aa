import '@xterm/xterm/css/xterm.css';
import { openTerminal, type TerminalConnection } from '@superfluidity/api';
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { useEffect, useRef } from 'react';
import { useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { theme } from '../data/theme.ts';
import { JOIN, keptTerminal, overBecause, type TerminalState } from '../view-model/terminal-state.ts';

/** Lines above what is seen: the bound of what a screen keeps. */
const SCROLLBACK = 5_000;
/** Leaves the terminal by keyboard: all other keys are the program's. */
const LEAVE_KEY = 'F6';
/** WCAG 2.2, 1.4.3: whatever colours a program asks for. */
const CONTRAST = 4.5;

const THEMES: Readonly<Record<'light' | 'dark', ITheme>> = {
  light: { background: '#ffffff', foreground: '#151515', cursor: '#0066cc', selectionBackground: '#b9dafc' },
  dark: { background: '#0d1424', foreground: '#d8e2f3', cursor: '#92c5f9', selectionBackground: '#254a78' },
};

interface ScreenProps {
  readonly service: string;
  readonly unit: string;
  readonly screenReader: boolean;
  readonly onState: (state: TerminalState) => void;
  /** Where the focus goes when the terminal is left by key. */
  readonly onLeave: () => void;
}

/**
 * One terminal, from its opening to its end. It is opened by being shown and closed by being taken away; one that is lost, with
 * the network or with the page, is joined anew.
 */
export default function TerminalScreen({ service, unit, screenReader, onState, onLeave }: ScreenProps) {
  const { credential } = useSession();
  const element = useRef<HTMLDivElement>(null);
  const terminal = useRef<Terminal>(undefined);
  const told = useRef({ onState, onLeave });
  told.current = { onState, onLeave };
  const colours = useStore(theme);

  useEffect(() => {
    const screen = new Terminal({
      scrollback: SCROLLBACK,
      minimumContrastRatio: CONTRAST,
      fontFamily: '"Red Hat Mono", monospace',
      fontSize: 13,
      cursorBlink: false,
      theme: THEMES[theme.get()],
    });
    terminal.current = screen;
    const fit = new FitAddon();
    screen.loadAddon(fit);
    screen.open(element.current!);
    fit.fit();
    screen.attachCustomKeyEventHandler((event) => {
      if (event.key !== LEAVE_KEY) return true;
      if (event.type === 'keydown') told.current.onLeave();
      event.preventDefault();
      return false;
    });
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let secret = keptTerminal.read(sessionStorage, service, unit);
    let lostAt: number | undefined;
    const encoder = new TextEncoder();
    const remember = (next: string | undefined) => {
      secret = next;
      keptTerminal.keep(sessionStorage, service, unit, next);
    };
    const connect = (wasOpen: boolean): TerminalConnection => {
      const shown = credential.get();
      const rejoin = secret;
      return openTerminal({
        server: location.origin,
        // Of a session the cookie goes along by itself.
        ...(shown.kind === 'token' ? { token: shown.token } : {}),
        service,
        unit,
        columns: screen.cols,
        rows: screen.rows,
        rejoin,
        onOpened: ({ kind, rejoin: next }) => {
          // What was shown last is shown again.
          if (rejoin !== undefined) screen.reset();
          lostAt = undefined;
          remember(next);
          if (!gone) told.current.onState({ at: 'open', kind });
          screen.focus();
        },
        onOutput: (bytes) => new Promise((resolve) => (gone ? resolve() : screen.write(bytes, resolve))),
        onEnd: (end) => {
          if (gone) return;
          const wasThere = wasOpen || secret !== undefined;
          lostAt ??= Date.now();
          if (end.type === 'lost' && secret !== undefined && Date.now() - lostAt < JOIN.forMs) {
            told.current.onState({ at: 'joining' });
            timer = setTimeout(() => {
              connection = connect(true);
            }, JOIN.everyMs);
            return;
          }
          screen.options.disableStdin = true;
          remember(undefined);
          told.current.onState(overBecause(end, wasThere));
        },
      });
    };
    let connection = connect(false);
    screen.onData((text) => void connection.type(encoder.encode(text)));
    screen.onBinary((text) => void connection.type(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    screen.onResize(({ cols, rows }) => connection.resize({ columns: cols, rows }));
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(element.current!);
    return () => {
      gone = true;
      clearTimeout(timer);
      remember(undefined);
      observer.disconnect();
      connection.close();
      screen.dispose();
      terminal.current = undefined;
    };
  }, [credential, service, unit]);

  useEffect(() => {
    if (terminal.current !== undefined) terminal.current.options.theme = THEMES[colours];
  }, [colours]);
  useEffect(() => {
    if (terminal.current !== undefined) terminal.current.options.screenReaderMode = screenReader;
  }, [screenReader]);

  return <div ref={element} className="sf-terminal__screen" data-terminal={unit} />;
}
