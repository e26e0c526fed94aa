import { parentPort, workerData } from 'node:worker_threads';
import { init } from 'z3-solver';

/**
 * The thread in which z3 runs: it may hang or fill its memory, and then it is ended from outside. A question comes as a
 * message; the answer is written into shared memory, because who asks sleeps until it is there.
 */
const { state, bytes } = workerData as { readonly state: Int32Array; readonly bytes: Uint8Array };
const { Z3 } = await init();

parentPort!.on('message', (text: string) => {
  void answer(text).then((reply) => {
    const { written } = new TextEncoder().encodeInto(reply, bytes);
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
    return await Z3.eval_smtlib2_string(context, text);
  } catch (error) {
    return `error ${String(error)}`;
  } finally {
    Z3.del_context(context);
  }
}
