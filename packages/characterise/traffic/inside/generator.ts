import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { reportError } from '@superfluidity/core';
import type { UnderStress } from '../use-case.ts';
import { useCaseOf } from '../use-cases.ts';
import {
  answerFile,
  HEARTBEAT_MS,
  ORDER_VARIABLE,
  ORDER_WAIT_MS,
  type Order,
  type OrderAnswer,
  orderShape,
  POLL_MS,
} from './order.ts';

/**
 * The unit that makes traffic inside of a service: waits for its order, does what it says, and writes down what it
 * measured. Then it stays until it is removed, so that nobody takes it for one that has failed.
 */
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

async function order(file: string): Promise<Order> {
  for (const untilMs = Date.now() + ORDER_WAIT_MS; Date.now() < untilMs; ) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return orderShape.parse(JSON.parse(text));
    await delay(POLL_MS, undefined, { signal: stop.signal });
  }
  throw new Error(`there was no order in ${file}`);
}

function serviceOf({ service: { share, ...rest } }: Order): UnderStress {
  return { ...rest, ...(share === undefined ? {} : { share }) };
}

async function obey(file: string): Promise<void> {
  const wanted = await order(file);
  // Only what was not there: a link that somebody has put there is not followed.
  const answer = openSync(answerFile(file), 'wx', 0o644);
  const say = (what: OrderAnswer) => void writeSync(answer, `${JSON.stringify(what)}\n`);
  const heart = setInterval(() => say({ alive: Date.now() }), HEARTBEAT_MS);
  try {
    say({ alive: Date.now() });
    const plugin = useCaseOf({ useCase: wanted.useCase, classes: [] });
    const samples = await plugin.stress(serviceOf(wanted), stop.signal, {
      begun: (atMs) => say({ begun: atMs }),
      trials: wanted.trials,
      keep: async (trial) => say({ trial }),
    });
    for (const { atMs, metrics } of samples) say({ sample: { atMs, metrics: { ...metrics } } });
    say({ done: samples.length });
  } catch (error) {
    const { code, message } = reportError(error);
    say({ failed: { code, message } });
  } finally {
    clearInterval(heart);
    closeSync(answer);
  }
}

const file = process.env[ORDER_VARIABLE];
if (file === undefined) throw new Error(`${ORDER_VARIABLE} is not set`);
await obey(file).catch((error: unknown) => {
  if (!stop.signal.aborted) appendFileSync(process.stdout.fd, `${String(error)}\n`);
});
while (!stop.signal.aborted) await delay(ORDER_WAIT_MS, undefined, { signal: stop.signal }).catch(() => {});
