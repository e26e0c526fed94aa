import { ApiError, openTerminal, type TerminalCall, type TerminalConnection } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { type Context, findToken } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** Ends the session from this side, as in telnet: a serial console does not end by itself. */
const LEAVE = 0x1d;
/** What ends the input of a program at a terminal. */
const END_OF_INPUT = Uint8Array.of(4);
const SIZE = { columns: 80, rows: 24 };
/** What was sent before the end may still be on its way. */
const MESSAGE = 'the connection was lost; what ran in the terminal was ended';

type End = Parameters<TerminalCall['onEnd']>[0];

/** Joins this terminal with one in the unit, and ends with the exit code of what ran there. */
export async function terminal(
  context: Context,
  service: string,
  unit: string,
  command: readonly string[],
): Promise<void> {
  const { stdin, stdout } = process;
  const token = await findToken(context.options);
  let opened = false;
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<End>();
  const connection = openTerminal({
    server: context.options.server,
    token,
    service,
    unit,
    ...sizeOf(stdout),
    ...(command.length === 0 ? {} : { command: command as [string, ...string[]] }),
    onOpened({ kind }) {
      opened = true;
      if (stdin.isTTY) {
        const what =
          kind === 'serial' ? 'the serial console' : kind === 'simulated' ? 'a simulated terminal' : 'a terminal';
        context.note(`${what} of ${unit}; Ctrl-] leaves it`);
      }
    },
    onOutput: (bytes) => new Promise((resolve) => stdout.write(bytes, () => resolve())),
    onEnd,
  });
  const release = join(connection);
  let end: End;
  try {
    end = await ended;
  } finally {
    release();
  }
  if (end.type === 'ended') {
    if (end.reason !== undefined) context.note(`\r\nended: ${end.reason}`);
    process.exitCode = end.exitCode ?? (end.reason === undefined ? exitCodes.ok : exitCodes.failed);
  } else if (end.type === 'refused') {
    throw new ApiError(409, end.error);
  } else if (left.has(connection)) {
    process.exitCode = exitCodes.ok;
  } else {
    throw opened ? lost(unit) : await whyNot(context, service, unit);
  }
}

/** Connections that were left by the key. */
const left = new WeakSet<TerminalConnection>();

/** Keys go there as they are pressed, and the size as it changes; the answer takes that back. */
function join(connection: TerminalConnection): () => void {
  const { stdin, stdout } = process;
  const onKeys = (bytes: Buffer) => {
    const leaves = stdin.isTTY ? bytes.indexOf(LEAVE) : -1;
    stdin.pause();
    void connection.type(leaves === -1 ? bytes : bytes.subarray(0, leaves)).then(() => {
      stdin.resume();
      if (leaves === -1) return;
      left.add(connection);
      connection.close();
    });
  };
  const onEnd = () => void connection.type(END_OF_INPUT);
  const onResize = () => connection.resize(sizeOf(stdout));
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onKeys).on('end', onEnd);
  stdout.on('resize', onResize);
  return () => {
    stdin.off('data', onKeys).off('end', onEnd).pause();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.off('resize', onResize);
    // A pipe that stays open would keep the process alive.
    stdin.unref();
  };
}

const sizeOf = ({ columns, rows }: Partial<typeof SIZE>): typeof SIZE => ({
  columns: columns || SIZE.columns,
  rows: rows || SIZE.rows,
});

function lost(unit: string): SuperfluidityError {
  return new SuperfluidityError('SF-API-UNREACHABLE', { doing: `keep the terminal of ${unit} open`, reason: MESSAGE });
}

/** A WebSocket that is refused does not say why. */
async function whyNot(context: Context, service: string, unit: string): Promise<Error> {
  const offer = await (await context.client()).call('getTerminal', { params: { name: service, unit } });
  const reason = offer.reason ?? 'the server refused the connection; too many terminals may be open';
  return new SuperfluidityError('SF-CLI-TERMINAL', { doing: `open a terminal in ${unit}`, reason });
}
