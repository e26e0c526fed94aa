import { ApiError, openTerminal, type TerminalCall, type TerminalConnection } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { type Context, findToken } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

/** Ends the session from this side, as in telnet: a serial console does not end by itself. */
const LEAVE = 0x1d;
/** What ends the input of a program at a terminal. */
const END_OF_INPUT = Uint8Array.of(4);
const SIZE = { columns: 80, rows: 24 };
/** The server keeps what was lost for half a minute. */
const JOIN = { everyMs: 1_000, forMs: 30_000 } as const;
const MESSAGE = 'the connection was lost, and not there again within half a minute; what ran in the terminal was ended';

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
  /** By which the server knows the terminal again. */
  let secret: string | undefined;
  const call = {
    server: context.options.server,
    token,
    service,
    unit,
    ...(command.length === 0 ? {} : { command: command as [string, ...string[]] }),
    onOutput: (bytes: Uint8Array) => new Promise<void>((resolve) => stdout.write(bytes, () => resolve())),
  };
  const line: Line = { isLeft: false };
  const release = join(line);
  let opened = false;
  let lostAt: number | undefined;
  let end: End;
  try {
    for (;;) {
      const rejoin = secret;
      end = await connected(line, {
        ...call,
        ...sizeOf(stdout),
        rejoin,
        onOpened({ kind, rejoin: next }) {
          opened = true;
          secret = next;
          lostAt = undefined;
          if (!stdin.isTTY) return;
          context.note(rejoin === undefined ? `${KINDS[kind]} of ${unit}; Ctrl-] leaves it` : '\r\njoined again\r');
        },
      });
      if (end.type !== 'lost' || secret === undefined || line.isLeft) break;
      if (lostAt === undefined) context.note('\r\nthe connection was lost; it is joined again as soon as it can be\r');
      lostAt ??= Date.now();
      if (Date.now() - lostAt > JOIN.forMs) break;
      await new Promise((resolve) => setTimeout(resolve, JOIN.everyMs));
    }
  } finally {
    release();
  }
  if (end.type === 'ended') {
    if (end.reason !== undefined) context.note(`\r\nended: ${end.reason}`);
    process.exitCode = end.exitCode ?? (end.reason === undefined ? exitCodes.ok : exitCodes.failed);
  } else if (end.type === 'refused') {
    throw new ApiError(409, end.error);
  } else if (line.isLeft) {
    process.exitCode = exitCodes.ok;
  } else {
    throw opened ? lost(unit) : await whyNot(context, service, unit);
  }
}

/** What this terminal is joined with at the moment. */
interface Line {
  connection?: TerminalConnection;
  /** By the key: what is lost then is not joined again. */
  isLeft: boolean;
}

const KINDS = { program: 'a terminal', serial: 'the serial console', simulated: 'a simulated terminal' } as const;

/** Until the connection ends. */
function connected(line: Line, call: Omit<TerminalCall, 'onEnd'>): Promise<End> {
  const { promise, resolve } = Promise.withResolvers<End>();
  line.connection = openTerminal({ ...call, onEnd: resolve });
  return promise;
}

/** Keys go there as they are pressed, and the size as it changes; the answer takes that back. */
function join(line: Line): () => void {
  const { stdin, stdout } = process;
  const onKeys = (bytes: Buffer) => {
    const leaves = stdin.isTTY ? bytes.indexOf(LEAVE) : -1;
    stdin.pause();
    if (leaves !== -1) line.isLeft = true;
    void line.connection?.type(leaves === -1 ? bytes : bytes.subarray(0, leaves)).then(() => {
      stdin.resume();
      if (line.isLeft) line.connection?.close();
    });
  };
  const onEnd = () => void line.connection?.type(END_OF_INPUT);
  const onResize = () => line.connection?.resize(sizeOf(stdout));
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
