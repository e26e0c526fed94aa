import { nativeJsonSchema } from '@superfluidity/dialects';

const INTRODUCTION = `# Native descriptors

<!-- Made by \`npm run docs\` from the JSON Schema of the format. Do not edit. -->

A descriptor is one YAML file that holds a whole service: functions, the units that make them up, the networks between
them, and the chains that lead packets through them. A function that has a single unit is written as that unit.

\`\`\`yaml
superfluidity: 1
service:
  name: hello
  version: 1.0.0
  networks:
    - name: lan
      prefix: 10.60.0.0/16
  functions:
    - name: client
      environment: container
      image: 'host:'
      command: [sleep, infinity]
      ports: [lan]
    - name: firewall
      environment: nft
      program: |
        table inet filter {
          chain forward {
            type filter hook forward priority 0; policy accept;
          }
        }
      forwards: true
      ports: [lan]
    - name: web
      environment: container
      image: 'host:'
      command: [busybox, httpd, -f, -p, '80']
      ports: [lan]
      health: tcp:80
      requirements:
        memoryMiB: 64
        location:
          tier: edge
  chains:
    - name: to-web
      from: client
      through: [firewall]
      to: web
      address: 10.99.0.80
      protocol: tcp
      ports: [80]
\`\`\`

What a text breaks is reported with line, column and, where a word looks like a slip, the word that was probably meant.
Paths to files are relative to the descriptor. Fields marked * are required.
`;

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** docs/reference/descriptor.md: the fields of every block, as the schema has them. */
export function descriptorPage(): Promise<string> {
  const schema = nativeJsonSchema as Schema;
  const sections = [['Document', schema] as const, ...Object.entries(schema.$defs ?? {})].map(([name, part]) =>
    section(name, part),
  );
  return Promise.resolve([INTRODUCTION, ...sections].join('\n'));
}

function section(name: string, schema: Schema): string {
  const lines = [`## ${name}`, ''];
  if (schema.description !== undefined) lines.push(`${schema.description}.`, '');
  const rows = fields(objectOf(schema), '');
  if (rows.length > 0) lines.push('| field | value | meaning |', '| --- | --- | --- |', ...rows, '');
  else if (rows.length === 0 && schema.description === undefined) lines.push(`A ${typeName(schema)}.`, '');
  return lines.join('\n');
}

/** The long form, where there is a short one. */
function objectOf(schema: Schema): Schema {
  return schema.properties === undefined
    ? (schema.anyOf?.find((one) => one.properties !== undefined) ?? schema)
    : schema;
}

function fields(schema: Schema, prefix: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const mark = schema.required?.includes(name) ? ' *' : '';
    const path = `${prefix}${name}`;
    const inner = field.items ?? field;
    const below = inner.$ref === undefined ? fields(objectOf(inner), `${path}${field.items ? '[]' : ''}.`) : [];
    return [`| \`${path}\`${mark} | ${typeName(field)} | ${cell(field.description ?? '')} |`, ...below];
  });
}

function typeName(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    return `[${name}](#${name})`;
  }
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeName).join(' or ');
  if (schema.items !== undefined) return `list of ${typeName(schema.items)}`;
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer') return 'whole number';
  if (schema.type === 'object') return schema.properties === undefined ? 'map' : 'object';
  return schema.type ?? 'anything';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
