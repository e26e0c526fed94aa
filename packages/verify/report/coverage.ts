import type { FileCoverage } from '../analyses/coverage.ts';

/** Lines that are named; of more, how many there are. */
const NAMED_MAX = 20;

/** For people: per file how many rules did something, and which did not. */
export function coverageText(files: readonly FileCoverage[]): string {
  return files
    .flatMap(({ file, exercised, idle }) => {
      const head = `${file}: ${exercised.length} of ${exercised.length + idle.length} rules exercised`;
      const named = idle.slice(0, NAMED_MAX).map(({ line, text }) => {
        return `  not exercised: ${file}:${line}${text === undefined ? '' : `  ${text.trim()}`}`;
      });
      const more = idle.length - named.length;
      return [head, ...named, ...(more > 0 ? [`  and ${more} more`] : [])];
    })
    .join('\n');
}

export function coverageJson(files: readonly FileCoverage[]): readonly object[] {
  return files.map(({ file, exercised, idle }) => ({
    file,
    rules: exercised.length + idle.length,
    exercised,
    idle: idle.map(({ line }) => line),
  }));
}
