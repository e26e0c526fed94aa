import { parentPort, workerData } from 'node:worker_threads';
import { init } from 'z3-solver';

/**
 * The thread in which z3 runs: it may hang or fill its memory, and then it is ended from outside. A question comes as a
 * message; the answer is written into shared memory, because who asks sleeps until it is there.
 */
const { state, bytes: answerBytes } = workerData as { readonly state: Int32Array; readonly bytes: Uint8Array };
const { Z3, em } = await init();
const memory = em as unknown as Memory;

/** The memory of z3, in which its own thread reads. */
interface Memory {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  async_call(ask: Ask, context: unknown, text: number): Promise<string>;
  readonly _async_Z3_eval_smtlib2_string: Ask;
}
type Ask = (context: unknown, text: number) => void;

parentPort!.on('message', (text: string) => {
  void answer(text).then((reply) => {
    const { written } = new TextEncoder().encodeInto(reply, answerBytes);
    Atomics.store(state, 1, written);
    Atomics.store(state, 0, 1);
    Atomics.notify(state, 0);
  });
});

async function answer(text: string): Promise<string> {
  const config = Z3.mk_config();
  const context = Z3.mk_context(config);
  Z3.del_config(config);
  try {
    return await evaluate(context, text);
  } catch (error) {
    return `error ${String(error)}`;
  } finally {
    Z3.del_context(context);
  }
}

/**
 * `Z3.eval_smtlib2_string` lays the text on the stack of this thread and takes it away while that of z3 still reads it: on a busy
 * machine z3 reads something else. Here the text stays where it is until there is an answer.
 */
async function evaluate(context: unknown, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const address = memory._malloc(bytes.length);
  try {
    memory.HEAPU8.set(bytes, address);
    return await memory.async_call(memory._async_Z3_eval_smtlib2_string, context, address);
  } finally {
    memory._free(address);
  }
}
