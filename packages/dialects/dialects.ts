import type { Dialect } from './dialect.ts';
import { ansible } from './ansible/ansible.ts';
import { appd } from './appd/appd.ts';
import { heat } from './heat/heat.ts';
import { kubernetes } from './kubernetes/kubernetes.ts';
import { nemo } from './nemo/nemo.ts';
import { native } from './native/native.ts';
import { osm } from './osm/osm.ts';
import { osm8 } from './osm8/osm8.ts';
import { rdcl } from './rdcl/rdcl.ts';
import { click } from './click/click.ts';
import { cran } from './cran/cran.ts';
import { sol006 } from './sol006/sol006.ts';
import { tosca } from './tosca/tosca.ts';

/** Those first that leave least doubt when they recognise something. */
export const dialects: readonly Dialect[] = [
  nemo,
  tosca,
  rdcl,
  sol006,
  osm,
  osm8,
  appd,
  cran,
  click,
  heat,
  kubernetes,
  native,
  ansible,
];
