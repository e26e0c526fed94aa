import { canonicalJson } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { unitFragmentDocument } from '../native/write.ts';
import { yamlBlock } from '../yaml-block.ts';
import { groupsIn, sol006Form, type Form } from './form.ts';
import type { Fields } from './style.ts';
import { nestedPath } from './write-unit.ts';
import { writeNsd } from './write-nsd.ts';
import { writeVnfd, type WrittenVnfd } from './write-vnfd.ts';
import { Writing } from './writing.ts';

/** A service as an ETSI SOL006 package: an NSD, a VNFD for each function, and what no VDU can say in a nested descriptor. */
export function writeSol006(service: Service, lose: Lose = () => {}): readonly DescriptorFile[] {
  const { nsd, vnfds } = writeDescriptors(sol006Form, service, lose);
  const pnfds = groupsIn(nsd.carried, 'pnfd');
  return [
    ...(nsd.document === undefined ? [] : [yamlFile('nsd.yaml', { [ROOT]: { nsd: [nsd.document] } })]),
    ...vnfds.map(({ name, document }) => yamlFile(`vnfd/${name}.yaml`, { [ROOT]: { vnfd: [document] } })),
    ...vnfds.flatMap(({ fn, nested }) =>
      nested.map((unit) => yamlFile(`vnfd/${nestedPath(fn, unit)}`, unitFragmentDocument(unit, service))),
    ),
    ...(pnfds.length === 0 ? [] : [yamlFile('pnfd.yaml', { [ROOT]: { pnfd: pnfds } })]),
  ];
}

const ROOT = 'etsi-nfv-descriptors:nfv';

export function yamlFile(path: string, value: object): DescriptorFile {
  return { path, bytes: new TextEncoder().encode(yamlBlock(value)) };
}

interface Descriptors {
  /** Absent where the service is one VNF that came without an NSD, and nothing has been added. */
  readonly nsd: { readonly document?: Fields; readonly carried: Fields };
  readonly vnfds: readonly (WrittenVnfd & { readonly name: string; readonly fn: Service['block'] })[];
}

export function writeDescriptors(form: Form, service: Service, lose: Lose): Descriptors {
  const w = new Writing(form, service, lose);
  const written = new Map<string, string>();
  const vnfds = service.block.children.flatMap((fn) => {
    let vnfd = writeVnfd(w, fn);
    const text = canonicalJson(vnfd.document);
    const known = written.get(w.vnfdId(fn));
    if (known === text) return [];
    if (known !== undefined) {
      w.callVnfd(fn, fn.name);
      vnfd = writeVnfd(w, fn);
    }
    written.set(w.vnfdId(fn), text);
    return [{ ...vnfd, name: fn.name, fn }];
  });
  const carried = w.carried(service.block);
  const { block, chains } = service;
  const alone =
    carried['alone'] === true &&
    block.children.length === 1 &&
    chains.length === 0 &&
    w.outside.length === 0 &&
    block.description === undefined;
  return { nsd: { carried, ...(alone ? {} : { document: writeNsd(w) }) }, vnfds };
}
