import type { Service } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { writeDescriptors, yamlFile } from '../sol006/write.ts';
import { osmForm } from './form.ts';

/** A service as packages of OSM (release 9 and later): a folder for the NSD, one for each VNFD. */
export function writeOsm(service: Service, lose: Lose = () => {}): readonly DescriptorFile[] {
  const { nsd, vnfds } = writeDescriptors(osmForm, service, lose);
  const { name } = service.block;
  return [
    ...(nsd.document === undefined ? [] : [yamlFile(`${name}_ns/${name}_nsd.yaml`, { nsd: { nsd: [nsd.document] } })]),
    ...vnfds.map(({ name: fn, document }) => yamlFile(`${fn}_vnf/${fn}_vnfd.yaml`, { vnfd: document })),
  ];
}
