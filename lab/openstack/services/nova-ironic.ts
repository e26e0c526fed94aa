import { type Ini, renderIni } from '../ini.ts';
import type { Item } from '../item.ts';
import type { Lab } from '../lab.ts';
import { registerBareMetalFlavour } from '../register-bare-metal.ts';
import { configFile, login } from './common.ts';
import { computeIni, computeProcess, hostKnown } from './nova.ts';

/** Servers on the machines of Ironic: one more nova-compute, under a name of its own, whose hypervisors they are. */
const NAME = 'nova-compute-ironic';

const config = (lab: Lab) => configFile(lab, 'nova', `${NAME}.conf`);

export function ironicComputeFiles(lab: Lab): Readonly<Record<string, string>> {
  const common = computeIni(lab);
  const ini: Ini = {
    ...common,
    DEFAULT: {
      ...common['DEFAULT'],
      host: `${lab.options.host}-ironic`,
      compute_driver: 'ironic.IronicDriver',
      // A machine that was given back can be had again when Placement hears of it.
      update_resources_interval: 20,
    },
    ironic: { ...login(lab, 'nova'), api_retry_interval: 1 },
  };
  return { [config(lab)]: renderIni(ini) };
}

export function ironicComputeItems(lab: Lab): readonly Item[] {
  return [
    // It tells of the machines that are there when it starts, and later every few seconds.
    computeProcess(NAME, config(lab), ['nova-conductor', 'nova-folders', 'placement', 'bare-metal']),
    hostKnown(lab, `${lab.options.host}-ironic`, NAME),
    {
      kind: 'task',
      name: 'bare-metal-flavour',
      after: ['nova-api', 'glance'],
      once: true,
      run: registerBareMetalFlavour,
    },
  ];
}
