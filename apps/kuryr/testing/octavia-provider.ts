import { balancerProviders } from '@superfluidity/openstack';
import { labCloud, laboratory } from '@superfluidity/openstack/testing';

/** This project's own, of which packets come through. */
export const PROVIDER = 'superfluidity';

/** Why tests that want it are skipped. To be asked only where the laboratory is up. */
export async function missingProvider(): Promise<string | undefined> {
  const missing = `needs the laboratory with provider ${PROVIDER}`;
  const lab = laboratory();
  if (lab === undefined) return missing;
  const cloud = labCloud(lab);
  try {
    const all = await balancerProviders(cloud, AbortSignal.timeout(10_000));
    return all.some(({ name }) => name === PROVIDER) ? undefined : missing;
  } catch {
    return missing;
  } finally {
    await cloud.close();
  }
}
