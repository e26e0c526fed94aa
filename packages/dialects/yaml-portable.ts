import { Document } from 'yaml';

/** YAML that readers of version 1.1 understand alike, which take `on` and `12:30` for something else than text: Go's and Python's. */
export function portableYaml(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  return document.toString({ lineWidth: 0 });
}
