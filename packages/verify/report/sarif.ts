import type { ShownPath } from '../engine/path.ts';
import type { SourceRef } from '../ir/source.ts';
import type { Verdict } from '../verdict.ts';

/**
 * Violations and unknowns as SARIF 2.1.0 (OASIS), for code scanning of the repository that holds the configurations: one
 * result a verdict, the rules as its locations, the path of the shortest counter-example as its code flow.
 */
export function sarif(verdicts: readonly Verdict<ShownPath>[], version: string): object {
  const bad = verdicts.filter((verdict) => verdict.answer !== 'holds');
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'superfluidity verify',
            version,
            rules: [...new Set(verdicts.map(({ question }) => question))].map((id) => ({ id })),
          },
        },
        results: bad.map((verdict) => ({
          ruleId: verdict.question,
          level: verdict.answer === 'violated' ? 'error' : 'warning',
          message: { text: verdict.because },
          locations: verdict.rules.map(location),
          ...flow(verdict),
        })),
      },
    ],
  };
}

function location(source: SourceRef) {
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(source.file) },
      region: { startLine: source.line },
    },
  };
}

function flow(verdict: Verdict<ShownPath>) {
  const path = verdict.paths[0];
  if (path === undefined) return {};
  const steps = path.hops.flatMap((hop) =>
    hop.because.map((source) => ({ location: { ...location(source), message: { text: `at ${hop.port}` } } })),
  );
  return steps.length === 0 ? {} : { codeFlows: [{ threadFlows: [{ locations: steps }] }] };
}
