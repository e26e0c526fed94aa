import { examineRules, ruleFaultText, ruleVerdicts, sarif, sourceName } from '@superfluidity/verify';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from '../context.ts';
import { codes, readingText } from './answer.ts';
import { loadFiles } from './load.ts';

interface RulesOptions {
  readonly timeLimit: number;
  readonly maxNodes?: number;
  readonly sarif?: true;
}

/** Which rules could as well not be there? */
export async function rules(
  context: Context,
  path: string,
  { timeLimit, maxNodes, sarif: asSarif }: RulesOptions,
): Promise<void> {
  const report = examineRules(path, await loadFiles(path), timeLimit * 1_000, maxNodes);
  const { faults, undecided, readings } = report;
  process.exitCode = codes[faults.length > 0 ? 'violated' : undecided.length > 0 ? 'unknown' : 'holds'];
  if (asSarif) {
    context.say(JSON.stringify(sarif(ruleVerdicts(report), packageJson.version), undefined, 2));
    return;
  }
  const machine = {
    rules: report.rules,
    faults: faults.map((fault) => ({ ...fault, rule: sourceName(fault.rule), by: fault.by.map(sourceName) })),
    undecided,
    read: readings,
  };
  await context.show(machine, () =>
    [
      ...readings.map(readingText),
      ...faults.map(ruleFaultText),
      ...undecided.map((what) => `not decided: ${what}`),
      `rules: ${faults.length} of ${report.rules} can be taken out, and no packet is treated otherwise`,
    ].join('\n'),
  );
}
