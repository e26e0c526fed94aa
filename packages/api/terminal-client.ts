import { fillPath } from './fill-path.ts';
import { routes } from './routes.ts';
import {
  TERMINAL_MESSAGE_BYTES,
  TERMINAL_PROTOCOL,
  TERMINAL_WINDOW_BYTES,
  terminalNews,
  type TerminalNews,
  type TerminalRequest,
  TOKEN_PROTOCOL,
} from './terminal.ts';

export interface TerminalCall {
  readonly server: string;
  /** Absent in a browser that has signed in: its cookie goes with the request. */
  readonly token?: string | undefined;
  readonly service: string;
  /** Id, path#index, or path. */
  readonly unit: string;
  readonly columns: number;
  readonly rows: number;
  readonly command?: readonly [string, ...string[]];
  /** What `onOpened` told of one that was lost. */
  readonly rejoin?: string | undefined;
  readonly onOpened: (news: Extract<TerminalNews, { type: 'opened' }>) => void;
  /** Resolves when it was shown: no more than a window of bytes comes before that. */
  readonly onOutput: (bytes: Uint8Array) => Promise<void>;
  /** Called once, at the end. `lost`: the connection broke, or there was none: `getTerminal` may know why. */
  readonly onEnd: (end: Exclude<TerminalNews, { type: 'opened' }> | { readonly type: 'lost' }) => void;
}

export interface TerminalConnection {
  /** Resolves when it has left this machine: to be awaited by who has much to say. */
  type(bytes: Uint8Array): Promise<void>;
  resize(size: { readonly columns: number; readonly rows: number }): void;
  close(): void;
}

/** What may wait to be sent. */
const SENDING_MAX = 256 << 10;
const SENDING_POLL_MS = 20;
/** What was shown is told in pieces of this size. */
const TELL_BYTES = TERMINAL_WINDOW_BYTES / 8;

/** Opens a terminal in a unit; in a browser as in Node. What was lost is joined anew by who has its `rejoin`, for a while. */
export function openTerminal(call: TerminalCall): TerminalConnection {
  const path = fillPath(routes.getTerminal.path, { name: call.service, unit: call.unit });
  const url = new URL(path, call.server);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, [
    TERMINAL_PROTOCOL,
    ...(call.token === undefined ? [] : [`${TOKEN_PROTOCOL}${call.token}`]),
  ]);
  socket.binaryType = 'arraybuffer';
  const say = (request: TerminalRequest) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
  };
  let over = false;
  const end: TerminalCall['onEnd'] = (news) => {
    if (over) return;
    over = true;
    call.onEnd(news);
  };
  /** The end is told after all that was shown. */
  let shown: Promise<void> = Promise.resolve();
  let untold = 0;
  const show = (bytes: Uint8Array) => {
    const one = call.onOutput(bytes).then(() => {
      untold += bytes.length;
      if (untold < TELL_BYTES) return;
      say({ type: 'taken', bytes: untold });
      untold = 0;
    });
    shown = Promise.all([shown, one]).then(() => {});
  };
  const { columns, rows, command, rejoin } = call;
  socket.addEventListener('open', () =>
    say({
      type: 'open',
      columns,
      rows,
      ...(command === undefined ? {} : { command: [...command] }),
      ...(rejoin === undefined ? {} : { rejoin }),
    }),
  );
  socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
    if (typeof data !== 'string') return show(new Uint8Array(data as ArrayBuffer));
    const news = terminalNews.parse(JSON.parse(data));
    if (news.type === 'opened') call.onOpened(news);
    else shown = shown.then(() => end(news));
  });
  socket.addEventListener('close', () => void shown.then(() => end({ type: 'lost' })));

  let typed: Promise<void> = Promise.resolve();
  const send = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += TERMINAL_MESSAGE_BYTES) {
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > SENDING_MAX) {
        await new Promise((resolve) => setTimeout(resolve, SENDING_POLL_MS));
      }
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(new Uint8Array(bytes.subarray(at, at + TERMINAL_MESSAGE_BYTES)));
    }
  };
  return {
    type(bytes) {
      typed = typed.then(() => send(bytes));
      return typed;
    },
    resize: ({ columns, rows }) => say({ type: 'resize', columns, rows }),
    close: () => socket.close(1000),
  };
}
