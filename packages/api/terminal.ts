import { z } from 'zod';
import { errorReport } from './schemas.ts';

export const terminalKind = z.enum(['program', 'serial', 'simulated']);

export const terminalOffer = z
  .object({
    unit: z.string().meta({ description: 'Id' }),
    possible: z.boolean(),
    reason: z.string().optional().meta({ description: 'Why not' }),
    kind: terminalKind.optional().meta({
      description: 'A program of its own for each session, the serial console of a machine, or the driver itself',
    }),
    resizes: z.boolean().optional().meta({ description: 'Whether programs learn how large the screen is' }),
    commands: z.boolean().optional().meta({ description: 'Whether a command can be chosen' }),
  })
  .meta({ id: 'TerminalOffer' });

/**
 * How a terminal speaks over a WebSocket (RFC 6455) at the path of the route `getTerminal`. Binary messages are bytes of
 * the terminal, in both directions; text messages are these, as JSON. The token comes as a second subprotocol, since a
 * browser can give no other header and addresses are written into logs.
 */
export const TERMINAL_PROTOCOL = 'superfluidity.terminal.1';
export const TOKEN_PROTOCOL = 'superfluidity.token.';

/** What is on the way to a reader who has not said that it was taken: the bound of memory on both sides. */
export const TERMINAL_WINDOW_BYTES = 256 << 10;
/** Of one message in either direction. */
export const TERMINAL_MESSAGE_BYTES = 64 << 10;

const size = { columns: z.int().min(1).max(1_000), rows: z.int().min(1).max(500) };

/** What the one at the screen says. `open` comes first. */
export const terminalRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('open'),
    ...size,
    /** A program and its arguments, for no shell to read. */
    command: z.tuple([z.string().min(1).max(4_096)], z.string().max(4_096)).optional(),
    /** Of a terminal whose connection was lost: it is joined anew, and shows again what it showed last. */
    rejoin: z.string().max(64).optional(),
  }),
  z.strictObject({ type: z.literal('resize'), ...size }),
  /** So many bytes were shown since the last time. */
  z.strictObject({
    type: z.literal('taken'),
    bytes: z
      .int()
      .min(0)
      .max(TERMINAL_WINDOW_BYTES * 2),
  }),
]);
export type TerminalRequest = z.infer<typeof terminalRequest>;

/** What the server says. After `ended` or `refused` it closes the connection. */
export const terminalNews = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opened'), kind: terminalKind, resizes: z.boolean(), rejoin: z.string().optional() }),
  z.object({ type: z.literal('ended'), exitCode: z.int().optional(), reason: z.string().optional() }),
  z.object({ type: z.literal('refused'), error: errorReport }),
]);
export type TerminalNews = z.infer<typeof terminalNews>;

/** The bound of a command as a whole. */
export const TERMINAL_COMMAND_WORDS = 64;
