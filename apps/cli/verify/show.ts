import { assemble, printNetwork } from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { loadFiles } from './load.ts';

/** The network as the engine has it. */
export async function show(context: Context, path: string): Promise<void> {
  context.say(printNetwork(assemble(path, await loadFiles(path)).network).trimEnd());
}
