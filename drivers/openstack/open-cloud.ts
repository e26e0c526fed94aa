import type { Clock, Logger } from '@superfluidity/core';
import { Cloud, cloudFromYaml, readCloud } from '@superfluidity/openstack';
import type { OpenstackConfig } from './config.ts';

/** The cloud that a configuration names or describes. */
export async function openCloud(site: string, config: OpenstackConfig, clock: Clock, log: Logger): Promise<Cloud> {
  const { cloud: name, auth, region, interface: face, verify } = config;
  const wanted = { ...(name === undefined ? {} : { name }), ...(region === undefined ? {} : { region }) };
  const described = auth === undefined ? await readCloud(wanted) : describedBy(site, auth, region);
  const changed = {
    ...described,
    ...(face === undefined ? {} : { interface: face }),
    ...(verify === undefined ? {} : { verify }),
  };
  const { requestMs } = config;
  return new Cloud({ config: changed, clock, log, ...(requestMs === undefined ? {} : { limits: { requestMs } }) });
}

/** In the words of clouds.yaml; JSON is YAML. */
function describedBy(site: string, auth: NonNullable<OpenstackConfig['auth']>, region: string | undefined) {
  const fields = { auth, ...(region === undefined ? {} : { region_name: region }) };
  return cloudFromYaml({ clouds: JSON.stringify({ clouds: { [site]: fields } }) }, site).config;
}
