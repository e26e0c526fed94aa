import { append, type Problem } from '@superfluidity/core';
import type { DescriptorFile } from '../files.ts';
import { named } from '../recognise.ts';
import { partOf, yamlOf, type YamlText } from '../yaml-text.ts';

/** A descriptor of a project where it stands, and the name of its file or of its entry in a bundle. */
export interface Found {
  readonly name: string;
  readonly text: YamlText;
}

/** The files of an RDCL 3D project by what they are: as separate files, or all in one as its exports have them. */
export interface Project {
  readonly nsds: readonly Found[];
  readonly vnfds: readonly Found[];
  /** Click configurations and manifests of Kubernetes by their names. */
  readonly nested: ReadonlyMap<string, string>;
  readonly vertices?: Found;
  /** Of files that cannot be read. */
  readonly problems: readonly Problem[];
}

type Fields = Readonly<Record<string, unknown>>;

export function findProject(files: readonly DescriptorFile[]): Project {
  const nsds: Found[] = [];
  const vnfds: Found[] = [];
  const nested = new Map<string, string>();
  const problems: Problem[] = [];
  let vertices: Found | undefined;
  const sort = (found: Found) => {
    const value = fieldsOf(found.text.value);
    if (value === undefined) return false;
    if (value['nsdIdentifier'] !== undefined) nsds.push(found);
    else if (value['vnfdId'] !== undefined && Array.isArray(value['vdu'])) vnfds.push(found);
    else return false;
    return true;
  };
  for (const file of files) {
    const name = file.path.slice(file.path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
    if (named('click')(file)) nested.set(name, decode(file.bytes));
    if (!named('json', 'yaml', 'yml')(file)) continue;
    const text = yamlOf(file);
    append(problems, text.problems);
    const value = fieldsOf(text.value);
    if (value === undefined || sort({ name, text })) continue;
    if (file.path.endsWith('vertices.json')) vertices = { name, text };
    else if (typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string')
      nested.set(name, decode(file.bytes));
    else {
      for (const kind of ['nsd', 'vnfd'])
        for (const key of Object.keys(fieldsOf(value[kind]) ?? {}))
          sort({ name: key, text: partOf(text, [kind, key]) });
      for (const kind of ['click', 'k8s'])
        for (const [key, inner] of Object.entries(fieldsOf(value[kind]) ?? {}))
          if (typeof inner === 'string') nested.set(key, inner);
    }
  }
  return { nsds, vnfds, nested, problems, ...(vertices === undefined ? {} : { vertices }) };
}

export function fieldsOf(value: unknown): Fields | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : undefined;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
