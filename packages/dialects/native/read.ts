import type { Problem } from '@superfluidity/core';
import { checkService, deepFreeze, type Service } from '@superfluidity/model';
import type { ReadResult } from '../dialect.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { formatPath, type Path, readYamlText, type YamlText } from '../yaml-text.ts';
import { checkQuestions } from '../check-questions.ts';
import { programMistakes, type ProgramMistake } from '../click/check-programs.ts';
import { documentPath } from './document-path.ts';
import { nativeJsonSchema, nativeShape } from './schema.ts';
import { toModel } from './to-model.ts';

/** What can be drawn of a descriptor that is being written. */
export interface NativeDraft {
  /** Present as soon as the shape is sound, whatever the model finds wrong with what it means. */
  readonly service?: Service;
  readonly problems: readonly Problem[];
  /** Where a part of the service stands: `functions[1].units[0]` is `['service', 'functions', 1]` in the short form. */
  readonly documentPath: (modelPath: string) => Path;
}

/** Reads a native descriptor. Never throws: whatever is wrong with the text is in `problems`, with its position. */
export function readNative(source: Uint8Array | string, options: { readonly file?: string } = {}): ReadResult {
  const { service, problems, text } = draft(source, options.file);
  if (service === undefined || problems.some(({ severity }) => severity === 'error')) return { problems };
  const locate = (modelPath: string) => text.locate(documentPath(modelPath, text.value));
  return { service: deepFreeze(service), problems, locate };
}

/** The same for an editor, which draws a service with mistakes in it too, and marks them. */
export function readNativeDraft(source: Uint8Array | string, options: { readonly file?: string } = {}): NativeDraft {
  const { service, problems, text } = draft(source, options.file);
  return {
    ...(service === undefined ? {} : { service: deepFreeze(service) }),
    problems,
    documentPath: (modelPath) => documentPath(modelPath, text.value),
  };
}

function draft(source: Uint8Array | string, file: string | undefined) {
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  const text = readYamlText(bytes, file);
  const shape = readShape(text, nativeShape, nativeJsonSchema as JsonSchema);
  if (!('value' in shape)) return { problems: shape.problems, text };
  const service = toModel(shape.value.service);
  const problems = [
    ...checkService(service).map((problem) => locateProblem(problem, text)),
    ...checkQuestions(service, text, (policy) => ['service', 'policies', policy]),
    ...programMistakes(service).map((mistake) => programProblem(mistake, text)),
  ];
  return { service, problems, text };
}

/** Nothing runs what a program says before it is deployed: to read it is worth a warning, not a refusal. */
function programProblem({ path, line, column, message }: ProgramMistake, text: YamlText): Problem {
  const inDocument = documentPath(path, text.value);
  return {
    severity: 'warning',
    code: 'SF-DESCRIPTOR-SYNTAX',
    path: formatPath(inDocument),
    message: `the Click program: ${message}`,
    position: text.within(inDocument, line, column),
  };
}

/** Gives a problem that was found in the model its path and position in the document. */
function locateProblem(problem: Problem, text: YamlText): Problem {
  const path = documentPath(problem.path, text.value);
  return { ...problem, path: formatPath(path), position: text.locate(path) };
}
