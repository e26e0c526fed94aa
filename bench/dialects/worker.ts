import { parentPort, workerData } from 'node:worker_threads';
import { readDescriptor, writeDescriptor } from '@superfluidity/dialects';
import { vnfdText } from './descriptors.ts';

/** Reads, checks and writes so many descriptors, each another one; says how long that took the thread. */
const { from, count } = workerData as { readonly from: number; readonly count: number };
const encoder = new TextEncoder();
const sources = Array.from({ length: count }, (_, i) => encoder.encode(vnfdText(from + i)));
parentPort!.postMessage('ready');
parentPort!.once('message', () => {
  let lines = 0;
  let problems = 0;
  for (const bytes of sources) {
    const { service, problems: found } = readDescriptor([{ path: 'vnfd.yaml', bytes }]);
    problems += found.length;
    if (service === undefined) throw new Error(found.map(({ message }) => message).join('\n'));
    const { files, losses } = writeDescriptor(service, 'sol006');
    if (losses.length > 0 || files.length !== 1) throw new Error('a descriptor did not come back whole');
    lines += new TextDecoder().decode(files[0]!.bytes).split('\n').length - 1;
  }
  parentPort!.postMessage({ lines, problems });
});
