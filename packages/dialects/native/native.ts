import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { readNative } from './read.ts';
import { nativeJsonSchema } from './schema.ts';
import { writeNative } from './write.ts';

const isNative = mentions(/^\s*(?:\{\s*)?["']?superfluidity["']?\s*:/m);

export const native: Dialect = {
  format: 'native',
  title: 'Superfluidity',
  standard: 'format 1 of this project, docs/reference/descriptor.md',
  schemas: { native: nativeJsonSchema },
  recognises: (files) => files.some(isNative),
  read: (files) => {
    const main = files.find(isNative) ?? files[0]!;
    return readNative(main.bytes, { file: main.path });
  },
  writer: {
    expresses: ['*'],
    write: (service) => [{ path: 'service.yaml', bytes: new TextEncoder().encode(writeNative(service)) }],
  },
};
