import { type NeutronModel, neutronModel } from '../models/neutron/model.ts';
import type { Reading } from '../read/reader.ts';
import type { NeutronDeployment } from '../readers/neutron/deployment.ts';
import { doubtOf, orAnything } from './doubts.ts';

/** One deployment of all dumps together; the lists of the API may be in files of their own. */
export function deploymentOf(dumps: readonly Reading<NeutronDeployment>[]): NeutronDeployment | undefined {
  if (dumps.length === 0) return undefined;
  const all = <K extends keyof NeutronDeployment>(key: K) =>
    dumps.flatMap(({ value }) => value[key] as readonly unknown[]) as unknown as NeutronDeployment[K];
  return {
    networks: all('networks'),
    subnets: all('subnets'),
    routers: all('routers'),
    ports: all('ports'),
    securityGroups: all('securityGroups'),
    addressGroups: all('addressGroups'),
    floatingIps: all('floatingIps'),
    trunks: all('trunks'),
    firewallGroups: all('firewallGroups'),
    firewallPolicies: all('firewallPolicies'),
    firewallRules: all('firewallRules'),
  };
}

export function neutronOf(dumps: readonly Reading<NeutronDeployment>[]): NeutronModel | undefined {
  const deployment = deploymentOf(dumps);
  if (deployment === undefined) return undefined;
  const model = neutronModel(deployment);
  const doubts = dumps.flatMap(({ reading }) => doubtOf(reading));
  if (doubts.length === 0) return model;
  const programs = new Map(model.programs);
  for (const entry of model.entries) programs.set(entry, orAnything('tenants', programs.get(entry)!, doubts));
  return { ...model, programs };
}
