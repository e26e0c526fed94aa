import type { Client } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { type Style, styleFor } from './print/style.ts';

export interface GlobalOptions {
  readonly server: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

/** Where a command writes: standard output and error of the process, or what stands for them. */
export interface Streams {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where passwords and secrets come from. Without one there are none. */
  readonly stdin?: Input;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A terminal, a pipe, or what stands for one. */
export interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean;
}

/** What every command gets: a way to ask and a way to answer. */
export interface Context {
  readonly options: GlobalOptions;
  readonly style: Style;
  /** Made when it is first asked for: commands that need no server need no token. */
  client(): Promise<Client>;
  /** The value itself as JSON or YAML, or its text for people. */
  show(value: unknown, text: () => string): Promise<void>;
  say(line: string): void;
  /** To people only, never into the data: standard error. */
  note(line: string): void;
  /** What must not be in the arguments: asked for without echo at a terminal, else the whole of standard input. */
  secret(prompt: string): Promise<string>;
  /** Whether a person sits there who can be asked. */
  readonly asks: boolean;
}

export function createContext(options: GlobalOptions, streams: Streams): Context {
  const { stdout, stderr } = streams;
  let client: Promise<Client> | undefined;
  const say = (line: string) => stdout.write(`${line}\n`);
  return {
    options,
    style: styleFor(stdout),
    client: () => (client ??= connect(options)),
    async show(value, text) {
      if (options.output === 'json') say(JSON.stringify(value, undefined, 2));
      else if (options.output === 'yaml') say((await import('yaml')).stringify(value).trimEnd());
      else say(text());
    },
    say,
    note: (line) => stderr.write(`${line}\n`),
    // The input of a process is opened by being looked at: not before it is asked for.
    get asks() {
      return streams.stdin?.isTTY === true;
    },
    secret: async (prompt) => (await import('./secret-input.ts')).readSecret(prompt, streams.stdin, stderr),
  };
}

async function connect(options: GlobalOptions): Promise<Client> {
  const { createClient } = await import('@superfluidity/api');
  return createClient({ server: options.server, token: await findToken(options) });
}

/** Never from the arguments: those are seen by every user of the machine and kept in the history of the shell. */
export async function findToken(
  options: Pick<GlobalOptions, 'tokenFile' | 'state'>,
  env = process.env,
): Promise<string> {
  if (options.tokenFile === undefined && env['SUPERFLUIDITY_TOKEN']) return env['SUPERFLUIDITY_TOKEN'];
  const { readFile } = await import('node:fs/promises');
  const { adminTokenFile, defaultStateFolder } = await import('@superfluidity/access');
  const file = options.tokenFile ?? adminTokenFile(options.state ?? defaultStateFolder(env));
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const reason = `${file} cannot be read`;
    throw new SuperfluidityError('SF-CLI-NO-TOKEN', { doing: 'find the token', reason, cause });
  }
}
