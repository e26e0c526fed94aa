import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../apps/cli/index.ts';
import { customResourceDefinitions } from '../../apps/kuryr/api/resources.ts';
import { kuryrConfigSchema } from '../../apps/kuryr/controller/index.ts';
import { demoCommand } from '../../apps/cli/demo/index.ts';
import { doctorCommand } from '../../apps/cli/doctor/index.ts';
import type { Finding, Project } from '../tidy/project.ts';
import { balancersPage } from './balancers-page.ts';
import { cliPage, commandPaths, unknownCommands } from './cli-page.ts';
import { descriptorPage } from './descriptor-page.ts';
import { characterisationJsonSchema } from '@superfluidity/characterise';
import { economicsJsonSchema } from '@superfluidity/place/economics';
import { energyJsonSchema } from '@superfluidity/place/energy';
import { chainsJsonSchema } from '@superfluidity/place/ocm';
import { costsJsonSchema, rfbJsonSchema } from '@superfluidity/place/rfb';
import { scalingJsonSchema } from '@superfluidity/scale';
import { dialectsPage, schemaPages } from './dialects-page.ts';
import { codesIn, errorsPage } from './errors-page.ts';

/** With the commands that are loaded only when they are called. */
function wholeProgram(): Command {
  const program = createProgram();
  program.command('server').description('start the control plane; `superfluidity server --help` tells its options');
  return program.addCommand(doctorCommand()).addCommand(demoCommand());
}

/** Pages that are made from the code, and how. */
export const pages: Readonly<Record<string, (project: Project) => Promise<string>>> = {
  'docs/reference/balancers.md': () => Promise.resolve(balancersPage()),
  'docs/reference/cli.md': () => Promise.resolve(cliPage(wholeProgram())),
  'docs/reference/descriptor.md': descriptorPage,
  'docs/reference/dialects.md': () => Promise.resolve(dialectsPage()),
  'docs/reference/errors.md': errorsPage,
  'docs/schemas/chains.schema.json': () => schemaPage(chainsJsonSchema),
  'docs/schemas/characterisation.schema.json': () => schemaPage(characterisationJsonSchema),
  'docs/schemas/costs.schema.json': () => schemaPage(costsJsonSchema),
  'docs/schemas/economics.schema.json': () => schemaPage(economicsJsonSchema),
  'docs/schemas/energy.schema.json': () => schemaPage(energyJsonSchema),
  'docs/schemas/kuryr-resources.json': () =>
    schemaPage({ apiVersion: 'v1', kind: 'List', items: customResourceDefinitions() }),
  'docs/schemas/kuryr.schema.json': () => schemaPage(kuryrConfigSchema),
  'docs/schemas/rfb.schema.json': () => schemaPage(rfbJsonSchema),
  'docs/schemas/scaling.schema.json': () => schemaPage(scalingJsonSchema),
  ...schemaPages(),
};

const schemaPage = (schema: object) => Promise.resolve(`${JSON.stringify(schema, null, 2)}\n`);

/** A page that is made says what the code says now. */
export async function generatedPages(project: Project): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [file, make] of Object.entries(pages)) {
    const current = existsSync(join(project.root, file)) ? project.read(file) : '';
    if (current !== (await make(project))) findings.push(`${file}: is not what the code says; run \`npm run docs\``);
  }
  return findings;
}

/** Codes that our own pages and sources name exist. */
export async function knownCodes(project: Project): Promise<readonly Finding[]> {
  const known = codesIn(await errorsPage(project));
  return project.files
    .filter((file) => /\.(?:md|ts|tsx)$/.test(file) && !/\.test\.tsx?$/.test(file) && !file.startsWith('tools/'))
    .flatMap((file) =>
      [...codesIn(project.read(file))]
        .filter((code) => !known.has(code))
        .map((code) => `${file}: no room defines ${code}`),
    );
}

/** Commands of ours that pages show can be typed. */
export function shownCommands(project: Project): readonly Finding[] {
  return project.files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      unknownCommands(project.read(file), commandPaths(wholeProgram())).map(
        (command) => `${file}: there is no command ${command}`,
      ),
    );
}
