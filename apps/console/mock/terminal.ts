import type { IncomingMessage, Server } from 'node:http';
import { TERMINAL_MESSAGE_BYTES, TERMINAL_PROTOCOL, type TerminalNews, terminalRequest } from '@superfluidity/api';
import { WebSocketServer } from 'ws';
import type { TerminalView } from './terminal-view.ts';

/** Terminals that repeat what is typed, line by line: `exit N` ends one, `flood` shows ten megabytes. Lost ones are kept. */
export function serveTerminals(
  server: Server,
  mayOpen: (request: IncomingMessage) => boolean,
  viewOf: (path: string) => TerminalView,
): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: TERMINAL_MESSAGE_BYTES,
    handleProtocols: () => TERMINAL_PROTOCOL,
  });
  const kept = new Map<string, Session>();
  server.on('upgrade', (request, socket, head) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (!mayOpen(request) || !path.endsWith('/terminal')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => repeat(accepted, viewOf(path), kept));
  });
  return () => {
    for (const each of sockets.clients) each.terminate();
  };
}

interface Session {
  line: string;
  /** What is on the screen. */
  shown: string;
}
const SHOWN_MAX = 4_000;

function repeat(socket: import('ws').WebSocket, view: TerminalView, kept: Map<string, Session>): void {
  let session: Session = { line: '', shown: '' };
  const tell = (news: TerminalNews) => socket.send(JSON.stringify(news));
  const show = (text: string) => {
    session.shown = (session.shown + text).slice(-SHOWN_MAX);
    socket.send(Buffer.from(text));
  };
  let size = { columns: 80, rows: 24 };
  const run = (words: string) => {
    if (words.startsWith('exit')) {
      tell({ type: 'ended', exitCode: Number(words.slice(5)) });
      return socket.close(1000);
    }
    if (words === 'flood') for (let i = 0; i < 200; i += 1) show(`${'~'.repeat(998)}\r\n`.repeat(50));
    else if (words === 'size') show(`${size.rows} ${size.columns}\r\n`);
    else show(`\u001b[32m${words}\u001b[0m\r\n`);
    return show(`${view.name}:~$ `);
  };
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (!binary) {
      const request = terminalRequest.parse(JSON.parse(data.toString()));
      if (request.type === 'taken') return;
      size = request;
      if (request.type === 'resize') return;
      if (view.reason !== undefined) {
        tell({ type: 'refused', error: { code: 'SF-SITE-NO-TERMINAL', message: view.reason } });
        return socket.close(1000);
      }
      const before = kept.get(request.rejoin ?? '');
      if (request.rejoin !== undefined && before === undefined) {
        tell({ type: 'refused', error: { code: 'SF-SERVER-TERMINAL-GONE', message: 'it is over' } });
        return socket.close(1000);
      }
      const secret = request.rejoin ?? `${view.id}-${kept.size}`;
      tell({ type: 'opened', kind: view.kind, resizes: view.kind !== 'serial', rejoin: secret });
      if (before !== undefined) {
        session = before;
        return socket.send(Buffer.from(before.shown));
      }
      kept.set(secret, session);
      socket.on('close', (code) => code === 1000 && kept.delete(secret));
      return show(`Welcome to ${view.name}\r\n${view.name}:~$ `);
    }
    for (const key of data.toString()) {
      if (key === '\r') {
        show('\r\n');
        run(session.line);
        session.line = '';
      } else {
        session.line += key;
        show(key);
      }
    }
  });
}
