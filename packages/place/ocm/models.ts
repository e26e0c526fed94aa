import dpdk from './models/dpdk-ovs.json' with { type: 'json' };
import kernel from './models/kernel-ovs.json' with { type: 'json' };
import type { SwitchModel } from './switch-model.ts';

/** The models that come with the product, by name. */
export const switchModels: Readonly<Record<'kernel-ovs' | 'dpdk-ovs', SwitchModel>> = {
  'kernel-ovs': kernel as unknown as SwitchModel,
  'dpdk-ovs': dpdk as unknown as SwitchModel,
};
