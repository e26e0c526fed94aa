import { z } from 'zod';
import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { findDescriptors, isXmlDescriptor } from './package.ts';
import { looksLikeOsm } from './quirks.ts';
import { readSol006 } from './read.ts';
import { sol006File } from './shape.ts';
import { xmlFiles } from './write-xml.ts';
import { writeSol006 } from './write.ts';

const mentionsDescriptor = mentions(/(?:^|[{,\s])["']?(?:[\w-]+:)?(?:nsd|vnfd|pnfd)["']?\s*:/m);

export const sol006: Dialect = {
  format: 'sol006',
  title: 'ETSI NFV-SOL 006',
  standard: 'ETSI GS NFV-SOL 006 v3.6.1 in YAML, JSON and XML, with nested VDUs of D6.1 annex B2 as an augmentation',
  get schemas() {
    return { sol006: z.toJSONSchema(sol006File, { io: 'input' }) };
  },
  recognises(files) {
    if (!files.some((file) => mentionsDescriptor(file) || isXmlDescriptor(file))) return false;
    const found = findDescriptors(files);
    return found.nsd.length + found.vnfd.length + found.pnfd.length > 0 && !looksLikeOsm(found);
  },
  read: readSol006,
  writer: {
    expresses: [
      'service.policies',
      'service.version',
      'service.description',
      'service.networks',
      'service.chains',
      'function.description',
      'function.requirements',
      'unit.description',
      'unit.scale',
      'network.mtu',
      'chain.*',
      'port.address',
      'port.internalIf',
      'port.allow',
      'port.bandwidthMbps',
      'execution.*',
      'requirements.*',
    ],
    write: writeSol006,
    encodings: { xml: xmlFiles },
  },
};
