import { hostname } from 'node:os';
import { dumpNode as readNode } from '@superfluidity/driver-openstack/node-dump';
import type { Context } from '../context.ts';
import { writeInto } from '../files-into.ts';

interface DumpNodeOptions {
  readonly to: string;
  readonly node?: string;
  readonly through?: string;
  readonly vswitchd?: string;
}

/** What a node of a cloud has of its networks, into files that `verify` reads. */
export async function dumpNode(context: Context, { to, node, through, vswitchd }: DumpNodeOptions): Promise<void> {
  const files = await readNode({
    node: node ?? hostname().split('.', 1)[0]!,
    ...(through === undefined ? {} : { through: through.trim().split(/\s+/) }),
    ...(vswitchd === undefined ? {} : { vswitchd }),
  });
  const written = await writeInto(to, files);
  await context.show({ files: written }, () => `${written.length} files in ${to}`);
}
