import { exitCodes } from '../exit-codes.ts';
import { filesBeside } from './beside.ts';
import { BrokenFrame, frame, FrameReader } from './frames.ts';
import { codes } from './protocol.ts';
import { LanguageServer } from './server.ts';

/** Answers that nobody takes are not kept without end. */
const UNREAD_BYTES_MAX = 64 * 2 ** 20;

/** A language server over standard input and output, until the client leaves. */
export async function lsp(): Promise<void> {
  const { stdin, stdout } = process;
  const timers = new Map<string, NodeJS.Timeout>();
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => (end = resolve));
  const send = (message: object) => {
    stdout.write(frame(message));
    if (stdout.writableLength > UNREAD_BYTES_MAX) end(exitCodes.failed);
  };
  const server = new LanguageServer({
    send,
    log: (line) => process.stderr.write(`${line}\n`),
    later: (key, ms, run) => {
      clearTimeout(timers.get(key));
      timers.set(
        key,
        setTimeout(() => {
          timers.delete(key);
          run();
        }, ms),
      );
    },
    beside: filesBeside,
    exit: (code) => end(code),
  });
  const reader = new FrameReader();
  stdin.on('data', (chunk: Buffer) => {
    try {
      for (const body of reader.push(chunk)) server.receive(body);
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error;
      stdin.pause();
      send({ jsonrpc: '2.0', id: null, error: { code: codes.parseError, message: error.message } });
      end(exitCodes.failed);
    }
  });
  stdin.on('end', () => server.ended());
  process.exitCode = await ended;
  stdin.pause();
  for (const timer of timers.values()) clearTimeout(timer);
}
