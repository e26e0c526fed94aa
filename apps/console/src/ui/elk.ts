import ELK, { type ELK as Elk, type ElkNode } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';

/** ELK in a worker, which starts when there is the first graph to lay out. */
let elk: Elk | undefined;

export const elkStarted = (): boolean => elk !== undefined;

/** Rejects when the worker cannot be loaded, or dies: ELK itself would wait for it. */
let broken: Promise<never> = new Promise(() => {});

export function layoutByElk(graph: ElkNode): Promise<ElkNode> {
  elk ??= new ELK({ workerFactory: startWorker });
  return Promise.race([elk.layout(graph), broken]);
}

function startWorker(): Worker {
  const worker = new Worker(workerUrl);
  broken = new Promise((_resolve, reject) => {
    worker.addEventListener('error', ({ message }) => {
      elk = undefined;
      reject(new Error(message === '' || message === undefined ? 'its program cannot be loaded' : message));
    });
  });
  broken.catch(() => {});
  return worker;
}

/** The same with a time limit, after which the worker is ended: a layout cannot be interrupted otherwise. */
export async function layoutByElkWithin(graph: ElkNode, limitMs: number): Promise<ElkNode> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      elk?.terminateWorker();
      elk = undefined;
      reject(new Error(`no layout after ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([layoutByElk(graph), late]);
  } finally {
    clearTimeout(timer);
  }
}
