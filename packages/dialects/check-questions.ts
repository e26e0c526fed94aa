import { isSuperfluidityError, type Problem } from '@superfluidity/core';
import { type Claim, policyPlaces, type Service } from '@superfluidity/model';
import { parseFilter, parseFormula } from '@superfluidity/verify/language';
import type { ReadResult } from './dialect.ts';
import { formatPath, type Path, type YamlText } from './yaml-text.ts';

/** What a reader has read, with what is wrong with the questions in its policies: then there is no service. */
export function withQuestions(read: ReadResult, text: YamlText, pathOf: (policy: number) => Path): ReadResult {
  const { service, problems, ...rest } = read;
  const wrong = service === undefined ? [] : checkQuestions(service, text, pathOf);
  return wrong.length === 0 ? read : { ...rest, problems: [...problems, ...wrong] };
}

/** Whether the filters and formulas of policies can be read, with the line and column in the file where they cannot. */
export function checkQuestions(service: Service, text: YamlText, pathOf: (policy: number) => Path): readonly Problem[] {
  const places = new Map(policyPlaces(service).map((place) => [place, []]));
  return (service.policies ?? []).flatMap(({ claim }, i) =>
    questionsOf(claim).flatMap(({ field, value, read }): readonly Problem[] => {
      const path = [...pathOf(i), claim.kind, field];
      try {
        read(value, places);
        return [];
      } catch (error) {
        if (!isSuperfluidityError(error, 'SF-VERIFY-QUESTION')) throw error;
        const { reason, data = {} } = error.details;
        const { line = 1, column = 1 } = data as { readonly line?: number; readonly column?: number };
        const [, message = reason, suggestion] = /^(.*?)(?: \((did you mean .*?)\))?(?=, found|$)/.exec(reason) ?? [];
        const found = /, found .*$/.exec(reason)?.[0] ?? '';
        return [
          {
            severity: 'error',
            code: 'SF-DESCRIPTOR-VALUE',
            message: `${message.replace(/^(?:[^ ]*:\d+:\d+|column \d+): /, '')}${found}`,
            path: formatPath(path),
            position: text.within(path, line, column),
            ...(suggestion === undefined ? {} : { suggestion }),
          },
        ];
      }
    }),
  );
}

interface WrittenQuestion {
  readonly field: 'packet' | 'formula';
  readonly value: string;
  readonly read: (value: string, places: ReadonlyMap<string, readonly string[]>) => unknown;
}

function questionsOf(claim: Claim): readonly WrittenQuestion[] {
  const packet = 'packet' in claim && claim.packet !== undefined ? claim.packet : undefined;
  return [
    ...(packet === undefined
      ? []
      : [{ field: 'packet', value: packet, read: (value: string) => parseFilter(value) } as const]),
    ...(claim.kind === 'check' ? [{ field: 'formula', value: claim.formula, read: parseFormula } as const] : []),
  ];
}
