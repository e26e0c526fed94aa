import { sha256 } from '@superfluidity/core';

/** The device of a port on its node: as agents of Neutron name it; ids of others are shortened so that they still differ. */
export function deviceOf(portId: string): string {
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(portId);
  return `tap${isUuid ? portId.slice(0, 11) : sha256(portId).slice(0, 11)}`;
}
