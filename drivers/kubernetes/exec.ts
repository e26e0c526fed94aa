import { Readable, Writable } from 'node:stream';
import { Exec, type V1Status } from '@kubernetes/client-node';
import { SuperfluidityError } from '@superfluidity/core';
import { CONTAINER } from './manifest.ts';
import type { World } from './world.ts';

/** Channels of a stream, by their number (KEP-4006, v5.channel.k8s.io). */
export const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4 } as const;

/** What is used of a socket of `ws`, which the client of Kubernetes opens. */
export interface Socket {
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array, done?: (error?: Error) => void): void;
  close(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  addEventListener(kind: 'close' | 'error', listen: () => void): void;
}

export interface ExecWish {
  readonly pod: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly signal: AbortSignal;
  /** Default: that of units. */
  readonly container?: string;
}

/** How a program ended, as far as the kubelet knows. */
export interface ExecEnd {
  readonly exitCode?: number;
  readonly reason?: string;
}

/** Starts a program in the container of a pod. */
export async function openExec(
  { cluster }: Pick<World, 'cluster'>,
  { pod, command, tty, stdin, signal, container = CONTAINER }: ExecWish,
  onData: (channel: number, data: Buffer) => void,
  onEnd: (end: ExecEnd) => void,
): Promise<Socket> {
  const { kubeConfig, namespace } = cluster;
  const sink = (channel: number) =>
    new Writable({
      write: (data: Buffer, _encoding, done) => {
        onData(channel, data);
        done();
      },
    });
  // A terminal has one output.
  const stderr = tty ? null : sink(CHANNELS.stderr);
  // That there is input is said when it is opened; what it is, is sent by hand, for the client does not wait for anybody.
  const input = stdin ? new Readable({ read: () => {} }) : null;
  const opening = new Exec(kubeConfig).exec(
    namespace,
    pod,
    container,
    [...command],
    sink(CHANNELS.stdout),
    stderr,
    input,
    tty,
    (status) => onEnd(endIn(status)),
  ) as unknown as Promise<Socket>;
  const givenUp = new Promise<never>((_, reject) => {
    const give = () =>
      reject(new SuperfluidityError('SF-CORE-CANCELLED', { doing: 'open a session', reason: 'cancelled' }));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([opening, givenUp]);
  } catch (error) {
    void opening.then(
      (socket) => socket.terminate(),
      () => {},
    );
    if (error instanceof SuperfluidityError) throw error;
    const reason = (error as { readonly message?: string }).message ?? String(error);
    throw new SuperfluidityError('SF-SITE-UNAVAILABLE', {
      doing: `run ${command[0]} in pod ${pod}`,
      reason,
      request: `GET ${cluster.path('pods', pod)}/exec`,
      answer: reason,
    });
  }
}

function endIn({ status, message, details }: V1Status): ExecEnd {
  if (status === 'Success') return { exitCode: 0 };
  const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return code === undefined ? { reason: message ?? 'it ended' } : { exitCode: Number(code) };
}

/** Runs a program to its end. */
export async function runInside(
  world: Pick<World, 'cluster'>,
  pod: string,
  command: readonly string[],
  signal: AbortSignal,
  container = CONTAINER,
): Promise<ExecEnd & { readonly output: string }> {
  const pieces: Buffer[] = [];
  let end: ExecEnd = { reason: 'the connection was lost' };
  const take = (channel: number, data: Buffer) => {
    if (channel === CHANNELS.stdout) pieces.push(data);
  };
  const socket = await openExec(world, { pod, command, tty: false, stdin: false, signal, container }, take, (said) => {
    end = said;
  });
  const stop = () => socket.terminate();
  signal.addEventListener('abort', stop, { once: true });
  await new Promise<void>((resolve) => socket.addEventListener('close', resolve));
  signal.removeEventListener('abort', stop);
  return { ...end, output: Buffer.concat(pieces).toString('utf8') };
}
