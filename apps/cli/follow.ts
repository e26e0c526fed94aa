import { setTimeout as delay } from 'node:timers/promises';
import type { Client, OperationDetail } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { errorText } from './print/error.ts';
import { changedSteps, detailText, newDetail, progressLines, stepLine } from './print/progress.ts';
import { styleFor } from './print/style.ts';
import { clockTime, milliseconds } from './print/values.ts';

const FRAME_MS = 100;
/** Without news for so long, it is looked at anyway. */
const LOOK_MS = 2_000;
/** In these an operation waits for somebody, or is over. */
const resting = new Set(['COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLED_BACK']);

export interface FollowOptions {
  readonly timeoutSeconds: number;
}

/** Shows the operation until it rests, and says with the exit code how it ended. */
export async function followOperation(context: Context, id: string, options: FollowOptions): Promise<void> {
  const client = await context.client();
  const over = new AbortController();
  const display = context.options.output === 'table' && process.stderr.isTTY ? liveDisplay() : lineDisplay(context);
  const onInterrupt = () => {
    display.close();
    context.note(`interrupted; the operation goes on: superfluidity operation watch ${id}`);
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', onInterrupt);
  try {
    const operation = await untilItRests(client, id, options, over.signal, (now) => display.update(now));
    display.close();
    await report(context, operation);
  } finally {
    over.abort();
    process.off('SIGINT', onInterrupt);
  }
}

/** Events are only the bell: what is shown is what the operation is now, so nothing can be missed. */
async function untilItRests(
  client: Client,
  id: string,
  { timeoutSeconds }: FollowOptions,
  signal: AbortSignal,
  update: (operation: OperationDetail) => void,
): Promise<OperationDetail> {
  const deadline = Date.now() + timeoutSeconds * 1_000;
  let operation = await client.call('getOperation', { params: { id } });
  let rang = false;
  void (async () => {
    for await (const event of client.follow('followEvents', { query: { service: operation.service }, signal })) {
      if (event.kind === 'operation' || event.kind === 'step') rang = true;
    }
  })().catch(() => {});
  for (;;) {
    update(operation);
    if (resting.has(operation.state)) return operation;
    const looked = Date.now();
    do {
      await delay(FRAME_MS);
      update(operation);
    } while (!rang && Date.now() - looked < LOOK_MS);
    rang = false;
    if (Date.now() > deadline) {
      const reason = `it is ${operation.state} after ${timeoutSeconds} s`;
      throw new SuperfluidityError('SF-CLI-TIMEOUT', { doing: `wait for operation ${id}`, reason });
    }
    operation = await client.call('getOperation', { params: { id } });
  }
}

async function report(context: Context, operation: OperationDetail): Promise<void> {
  const { style } = context;
  const took = milliseconds(operation.stateEnteredAt - operation.startedAt);
  const good = operation.state === 'COMPLETED';
  await context.show(operation, () => {
    const state = good ? style.green(operation.state) : style.red(operation.state);
    return `${operation.kind} ${operation.service}: ${state} after ${took}  (${operation.id})`;
  });
  for (const { result } of operation.steps) if (result !== undefined && good) context.note(JSON.stringify(result));
  if (good) return;
  process.exitCode = exitCodes.operationFailed;
  const errorStyle = styleFor(process.stderr);
  if (operation.error !== undefined) context.note(errorText(operation.error, errorStyle));
  for (const step of operation.steps) {
    if (step.state !== 'failed' || step.error === undefined) continue;
    context.note(`${errorStyle.bold('step')} ${step.title}\n${errorText(step.error, errorStyle)}`);
  }
  if (operation.state === 'FAILED_TEMP') {
    context.note(`go on with: superfluidity operation retry|rollback|continue|fail ${operation.id}`);
  }
}

interface Display {
  update(operation: OperationDetail): void;
  close(): void;
}

/** Redraws the list in place: up over the last frame, each line cleared to its end (ECMA-48: CUU, EL, ED). */
function liveDisplay(): Display {
  const style = styleFor(process.stderr);
  let height = 0;
  return {
    update(operation) {
      const { rows, columns } = process.stderr;
      const lines = progressLines(operation, { rows, columns }, Date.now(), style);
      const up = height > 0 ? `\u001b[${height}A` : '';
      process.stderr.write(`${up}${lines.map((line) => `\r${line}\u001b[K\n`).join('')}\u001b[J`);
      height = lines.length;
    },
    close() {},
  };
}

function lineDisplay(context: Context): Display {
  let before: OperationDetail | undefined;
  const style = styleFor(process.stderr);
  return {
    update(now) {
      if (now === before || context.options.output !== 'table') return;
      for (const step of changedSteps(before, now)) {
        context.note(`${clockTime(step.endedAt ?? step.startedAt ?? Date.now())}${stepLine(step, Date.now(), style)}`);
      }
      for (const line of newDetail(before, now)) context.note(`${clockTime(line.at)}      ${detailText(line)}`);
      before = now;
    },
    close() {},
  };
}
