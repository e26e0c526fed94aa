/** The house rules as a program: `node tools/tidy.ts` prints what breaks them. */
import { generatedPages, knownCodes, shownCommands } from './pages/pages.ts';
import { root } from './run.ts';
import { fileNames, impureCalls, leftovers, longFiles, spreadArguments } from './tidy/code-rules.ts';
import { commands, links } from './tidy/doc-rules.ts';
import { shownDescriptors } from './tidy/example-rules.ts';
import { lockFile } from './tidy/lock-file.ts';
import { dependencies, rooms } from './tidy/manifest-rules.ts';
import { readProject, type Rule } from './tidy/project.ts';
import { architecture, listedImports } from './tidy/workspace-imports.ts';

const rules: readonly Rule[] = [
  longFiles,
  fileNames,
  impureCalls,
  spreadArguments,
  leftovers,
  rooms,
  dependencies,
  listedImports,
  architecture,
  lockFile,
  links,
  commands,
  shownCommands,
  shownDescriptors,
  generatedPages,
  knownCodes,
];

const project = readProject(root);
const findings = (await Promise.all(rules.map(async (rule) => rule(project)))).flat();
for (const finding of findings) console.log(finding);
console.log(`${rules.length} rules, ${project.files.length} files`);
process.exitCode = findings.length === 0 ? 0 : 1;
