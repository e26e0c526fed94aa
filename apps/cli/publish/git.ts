import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import type { cliErrors } from '../errors.ts';
import '../errors.ts';

/**
 * git(1), called with lists of arguments and never through a shell. What it is given comes from the command line, what it
 * answers from somebody else's server: neither is trusted, both are bounded, and no password gets into either.
 */
export interface Git {
  /** Standard output. @throws SuperfluidityError SF-PUBLISH-GIT, SF-PUBLISH-REJECTED */
  run(args: readonly string[], input?: Uint8Array): Promise<Buffer>;
}

/** More than any list of files of a branch has; a single file is smaller. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
const ANSWER_CHARACTERS_MAX = 2_000;
/** Of these the last are shown, after passwords have been taken out. */
const ANSWER_CHARACTERS_KEPT = 8 * ANSWER_CHARACTERS_MAX;
const KILL_GRACE_MS = 2_000;

/** Of what git(1) can be told by its surroundings, that which would make it work on another repository. */
const OTHER_REPOSITORY =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|COMMON_DIR)$/;

export function gitIn(folder: string, timeoutMs: number): Git {
  const inherited = Object.entries(process.env).filter(([name]) => !OTHER_REPOSITORY.test(name));
  const env = {
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    ...Object.fromEntries(inherited),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_OPTIONAL_LOCKS: '0',
    LC_ALL: 'C',
  };
  return {
    run: (args, input) =>
      new Promise((done, reject) => {
        const child = spawn('git', ['-c', 'core.hooksPath=/dev/null', ...args], {
          cwd: folder,
          env,
          stdio: ['pipe', 'pipe', 'pipe'],
          // So that at the time limit no helper of a transport stays.
          detached: true,
        });
        const chunks: Buffer[] = [];
        let bytes = 0;
        let stderr = '';
        let ended: string | undefined;
        const end = (reason: string) => {
          ended ??= reason;
          kill(child.pid, 'SIGTERM');
          setTimeout(() => kill(child.pid, 'SIGKILL'), KILL_GRACE_MS).unref();
        };
        const timer = setTimeout(() => end(`not done within ${timeoutMs / 1_000} s`), timeoutMs);
        child.stdout.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > OUTPUT_BYTES_MAX) end(`it answers with more than ${OUTPUT_BYTES_MAX / 2 ** 20} MiB`);
          else chunks.push(chunk);
        });
        child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
          stderr = (stderr + chunk).slice(-ANSWER_CHARACTERS_KEPT);
        });
        // It may have ended before it read everything; then its exit code says why.
        child.stdin.on('error', () => {});
        child.stdin.end(input);
        const fail = (reason: string, cause?: unknown) => {
          clearTimeout(timer);
          const answer = `${Buffer.concat(chunks).toString()}\n${stderr}`;
          const rejected =
            ended === undefined && /^!\t|\[(?:remote )?rejected\]|non-fast-forward|cannot lock ref/m.test(answer);
          reject(
            publishProblem(rejected ? 'SF-PUBLISH-REJECTED' : 'SF-PUBLISH-GIT', reason, {
              request: withoutCredentials(`git ${args.join(' ')}`),
              answer: endOfAnswer(answer),
              ...(cause === undefined ? {} : { cause }),
            }),
          );
        };
        child.once('error', (error) => fail(error.message, error));
        child.once('close', (code, signal) => {
          clearTimeout(timer);
          if (code === 0 && ended === undefined) done(Buffer.concat(chunks));
          else fail(ended ?? (signal === null ? `exit code ${code}` : `ended by ${signal}`));
        });
      }),
  };
}

function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

export function publishProblem(
  code: Extract<keyof typeof cliErrors, `SF-PUBLISH-${string}`>,
  reason: string,
  more: { readonly request?: string; readonly answer?: string; readonly cause?: unknown } = {},
): SuperfluidityError {
  return new SuperfluidityError(code, { doing: 'publish a service', reason, ...more });
}

/** The last of what was answered, without passwords: one that was cut into could not be told from other words, and is left out. */
export function endOfAnswer(answer: string): string {
  const kept = answer.slice(-ANSWER_CHARACTERS_KEPT);
  const whole = kept.length < answer.length ? kept.replace(/^\S+/, '') : kept;
  return withoutCredentials(whole.trim()).slice(-ANSWER_CHARACTERS_MAX);
}

/** Servers and helpers answer with addresses, and some of these have passwords in them. Takes time with the length of the text. */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^/\s]*@/g, '://***@');
}

const URL_WITH_USER = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)@/i;

/**
 * The address as git is given it: a URL, `user@host:path`, or a path of this machine.
 * @throws SuperfluidityError SF-PUBLISH-ADDRESS: it would be an option, another program, or shows a password to everybody.
 */
export function repositoryAddress(text: string): string {
  const shown = withoutCredentials(text).slice(0, 200);
  const refuse = (reason: string) => publishProblem('SF-PUBLISH-ADDRESS', reason);
  // oxlint-disable-next-line no-control-regex
  if (text === '' || text.startsWith('-') || /[\u0000-\u001f\u007f]/.test(text)) {
    throw refuse(`'${shown.replace(/[^\x20-\x7e]/g, '?')}' is no repository`);
  }
  const [, scheme = '', user = ''] = URL_WITH_USER.exec(text) ?? [];
  // A token stands in the place of a user often enough.
  if (user.includes(':') || (user !== '' && /^https?$/i.test(scheme))) {
    throw refuse(`${shown} has credentials in it, which every user of this machine can see`);
  }
  const [, transport] = /^([a-z][a-z0-9+.-]*)::/i.exec(text) ?? [];
  if (transport !== undefined) throw refuse(`'${transport}::' would start a program`);
  const elsewhere = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || (/^[^/]*:/.test(text) && !existsSync(text));
  return elsewhere ? text : resolve(text);
}

/** git-check-ref-format(1), of a branch. @throws SuperfluidityError SF-PUBLISH-ADDRESS */
export function branchRef(branch: string): string {
  const parts = branch.split('/');
  const wrong =
    branch.length > 200 ||
    branch === '@' ||
    branch.includes('@{') ||
    branch.includes('..') ||
    // oxlint-disable-next-line no-control-regex
    /^-|[\u0000-\u0020\u007f~^:?*[\\]|\.$/.test(branch) ||
    parts.some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock'));
  if (!wrong) return `refs/heads/${branch}`;
  throw publishProblem(
    'SF-PUBLISH-ADDRESS',
    `'${branch.slice(0, 80).replace(/[^\x20-\x7e]/g, '?')}' cannot be the name of a branch`,
  );
}
