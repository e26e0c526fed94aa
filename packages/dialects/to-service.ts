import type { Problem } from '@superfluidity/core';
import { checkService, deepFreeze } from '@superfluidity/model';
import type { ReadResult } from './dialect.ts';
import { nativeShape, type NativeService } from './native/schema.ts';
import { toModel } from './native/to-model.ts';
import type { Origins } from './origins.ts';
import { formatPath, type Path } from './yaml-text.ts';

/**
 * The last part of every reader: what it understood, as the service of a native descriptor, goes through the checks of
 * that format and of the model, and what they find gets the position in the files that were read.
 */
export function toService(native: NativeService, origins: Origins, problems: readonly Problem[] = []): ReadResult {
  const { locate } = origins;
  if (problems.some(isError)) return { problems, locate };
  const shape = nativeShape.safeParse({ superfluidity: 1, service: native });
  if (!shape.success) {
    const found = shape.error.issues.map((issue): Problem => {
      const path = formatPath(issue.path.slice(1) as Path);
      return at(locate, { severity: 'error', code: 'SF-DESCRIPTOR-VALUE', path, message: `${path}: ${issue.message}` });
    });
    return { problems: [...problems, ...found], locate };
  }
  const service = deepFreeze(toModel(native));
  const all = [...problems, ...checkService(service).map((problem) => at(locate, problem))];
  return all.some(isError) ? { draft: service, problems: all, locate } : { service, problems: all, locate };
}

function at(locate: Origins['locate'], problem: Problem): Problem {
  const position = locate(problem.path);
  return position === undefined ? problem : { ...problem, position };
}

const isError = ({ severity }: Problem) => severity === 'error';
