import { silentLogger } from '@superfluidity/core';
import { Ovsdb } from '../ovsdb.ts';
import { sweep } from '../sweep.ts';
import { VSwitch } from '../vswitch.ts';

const WITHIN_MS = 120_000;

/** What a daemon of this name in the network of this machine left plugged for the next one, which will not come. */
export async function unplugLeft(node: string, ovsdb: string): Promise<void> {
  const database = new Ovsdb(ovsdb);
  const place = {
    name: node,
    namespace: undefined,
    trunk: {},
    makesBridges: false,
    hasVlans: false,
    hasMacvlans: false,
  };
  try {
    const vswitch = new VSwitch(database);
    await sweep({ ...place, vswitch, log: silentLogger }, () => false, AbortSignal.timeout(WITHIN_MS));
  } finally {
    await database.close();
  }
}
