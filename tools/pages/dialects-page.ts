import { dialects, type Dialect } from '@superfluidity/dialects';

const INTRODUCTION = `# Dialects

<!-- Made by \`npm run docs\` from the readers and writers. Do not edit. -->

Services are read and written in these dialects. Each is recognised by its content. What a dialect says and the model does
not know is carried, and written again in the same dialect; what the model says and a dialect has no words for is listed
as lost when a service is written.
`;

const TEXTS = `## As texts

The designer of the console keeps a text of each of these in its own format, with the graph beside it and in step, and
\`superfluidity lsp\` serves them to editors (problems, completion, hover, names). A change in the graph is made in the text as
follows: what the writer says of the service before and after the change is compared, list by list and field by field; what
differs is put into the text, where descriptors are found by their identifiers, objects by kind and name, items of lists by
\`id\`, \`name\` or what else tells them apart. All other letters stay. The text is then read again, and the change is refused
where it would not come out, where it would take another file, or where the text says it by an alias. The library
(\`amend\` of packages/dialects) names what the dialect has no words for before anything is changed.
`;

/** `docs/reference/dialects.md` */
export function dialectsPage(): string {
  const rows = dialects.map(
    ({ format, title, standard, read, writer }) =>
      `| \`${format}\` | ${title} | ${standard} | ${read === undefined ? '' : 'yes'} | ${writer === undefined ? '' : 'yes'} |`,
  );
  const table = ['| name | dialect | follows | read | written |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
  return `${INTRODUCTION}\n${table}\n\n${TEXTS}\n## What each has words for\n\n${dialects.map(words).filter(given).join('\n\n')}\n`;
}

/** What a writer expresses, beside names, ports, networks and how many there are of what. */
function words({ format, writer }: Dialect): string {
  if (writer === undefined) return '';
  const all = writer.expresses.includes('*');
  const list = writer.expresses.map((aspect) => `\`${aspect}\``).join(', ');
  return `- **${format}**: ${all ? 'everything' : list}`;
}

const given = (text: string) => text !== '';

/** JSON Schemas for editors, by file. */
export function schemaPages(): Readonly<Record<string, () => Promise<string>>> {
  const schemas = dialects.flatMap(({ schemas: own = {} }) => Object.entries(own));
  return Object.fromEntries(
    schemas.map(([name, schema]) => [
      `docs/schemas/${name}.schema.json`,
      () => Promise.resolve(`${JSON.stringify(schema, null, 2)}\n`),
    ]),
  );
}
