import type { Finding, Project } from './project.ts';

/** DESIGN, "Habits": about 24 kB, which is as much as a reader holds in the head. */
const LINES_MAX = 600;
/** Rooms whose functions depend on nothing but their arguments. */
const PURE_ROOMS = ['model', 'click', 'dialects', 'language', 'place', 'scale'];

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\(/, 'Date.now'],
  [/\bnew Date\(\s*\)/, 'new Date()'],
  [/\bperformance\.now\(/, 'performance.now'],
  [/\bMath\.random\(/, 'Math.random'],
  [/\b(?:randomBytes|randomUUID|randomInt)\(/, 'random bytes'],
  [/\bset(?:Timeout|Interval|Immediate)\(/, 'a timer'],
  [/\bprocess\.(?!platform\b)/, 'process'],
  [/\bfetch\(/, 'fetch'],
];

// Put together, so that this file does not contain what it looks for.
const MARKERS = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
const FOCUS = new RegExp(`\\b(?:describe|it|test)\\.${'on' + 'ly'}\\b`);

const isCode = (file: string) => /\.(?:ts|tsx|cjs|mjs|js|css|sql|sh)$/.test(file);
const isTest = (file: string) => /\.test\.tsx?$|\/testing(?:\/|\.ts$)/.test(file);

export function longFiles(project: Project): readonly Finding[] {
  return project.files.filter(isCode).flatMap((file) => {
    const lines = project.read(file).split('\n').length - 1;
    return lines > LINES_MAX ? [`${file}: ${lines} lines, the limit is ${LINES_MAX}`] : [];
  });
}

/** One concept, one file, named for it in kebab-case; React components too. */
export function fileNames(project: Project): readonly Finding[] {
  return project.files
    .filter((file) => /\.(?:ts|tsx)$/.test(file))
    .filter((file) => !/^\.?[a-z0-9]+(?:[-.][a-z0-9]+)*\.tsx?$/.test(file.slice(file.lastIndexOf('/') + 1)))
    .map((file) => `${file}: file names are kebab-case`);
}

export function impureCalls(project: Project): readonly Finding[] {
  const pure = project.files.filter(
    (file) => PURE_ROOMS.some((room) => file.startsWith(`packages/${room}/`)) && file.endsWith('.ts') && !isTest(file),
  );
  return pure.flatMap((file) =>
    withoutComments(project.read(file))
      .split('\n')
      .flatMap((line, index) =>
        IMPURE.filter(([pattern]) => pattern.test(line)).map(
          ([, name]) => `${file}:${index + 1}: ${name} in a pure room; take it as an argument`,
        ),
      ),
  );
}

/** All arguments lie on the stack, which overflows where an input has some hundred thousand of something. */
export function spreadArguments(project: Project): readonly Finding[] {
  const ours = project.files.filter((file) => /^(?:apps|packages|drivers)\/.*\.tsx?$/.test(file) && !isTest(file));
  return ours.flatMap((file) =>
    withoutComments(project.read(file))
      .split('\n')
      .flatMap((line, index) =>
        /(?:\.(?:push|unshift)|\bMath\.(?:max|min))\(\.\.\./.test(line)
          ? [`${file}:${index + 1}: a list of any length as arguments; use append, largest or smallest of core`]
          : [],
      ),
  );
}

export function leftovers(project: Project): readonly Finding[] {
  return project.files
    .filter((file) => isCode(file) || /\.(?:md|yaml|yml)$/.test(file))
    .flatMap((file) =>
      project
        .read(file)
        .split('\n')
        .flatMap((line, index) => [
          ...(MARKERS.test(line) ? [`${file}:${index + 1}: a leftover marker; do it, or open an issue`] : []),
          ...(isTest(file) && FOCUS.test(line) ? [`${file}:${index + 1}: only this test would run`] : []),
        ]),
    );
}

/** Blanks comments out and keeps the lines. Good enough for rules: a string that looks like a comment is blanked too. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/\/\/.*$/gm, '');
}
