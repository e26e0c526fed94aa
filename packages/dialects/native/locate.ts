import type { Position } from '@superfluidity/core';
import { parsePath, readYamlText } from '../yaml-text.ts';
import { documentPath } from './document-path.ts';

/**
 * Where things of the model stand in the text of a native descriptor: `functions[1].units[0].program` is the first line of
 * that program. Undefined for other texts, and for what is not there.
 */
export function locateNative(text: string, file: string): (modelPath: string) => Position | undefined {
  const read = readYamlText(new TextEncoder().encode(text), file);
  const { value } = read;
  if (value === null || typeof value !== 'object' || !('superfluidity' in value)) return () => undefined;
  return (modelPath) => {
    const path = documentPath(modelPath, value);
    const found = path.reduce<unknown>(
      (inner, part) =>
        inner === null || typeof inner !== 'object' ? undefined : (inner as Record<string, unknown>)[part],
      value,
    );
    if (found === undefined || parsePath(modelPath).length === 0) return undefined;
    return typeof found === 'string' ? read.within(path, 1, 1) : read.locate(path);
  };
}
