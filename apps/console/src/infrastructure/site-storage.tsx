import type { StorageTier } from '@superfluidity/api';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { Meter } from '../ui/meter.tsx';
import { formatMiB, share } from '../view-model/format.ts';
import { storageNames, usesOf } from './storage-table.tsx';

const KINDS = Object.keys(storageNames) as StorageTier['kind'][];
const LISTED = 12;

/** The storage of one site, the fastest tier first, and in a tier the fullest first. */
export function SiteStorage({ storage }: { readonly storage: readonly StorageTier[] }) {
  return (
    <Card>
      <CardTitle component="h2">Storage</CardTitle>
      <CardBody className="sf-tiers">
        {KINDS.map((kind) => {
          const all = storage.filter((one) => one.kind === kind);
          if (all.length === 0) return null;
          const fill = (one: StorageTier) => share(one.usedMiB, one.capacityMiB);
          const here = all.toSorted((a, b) => fill(b) - fill(a));
          return (
            <section key={kind} aria-label={storageNames[kind]} data-tier={kind}>
              <h3>{storageNames[kind]}</h3>
              <ul>
                {here.slice(0, LISTED).map((one) => (
                  <li key={`${one.host ?? ''} ${one.name}`}>
                    <Meter
                      label={[one.name, one.rack, one.host].filter((part) => part !== undefined).join(', ')}
                      used={fill(one)}
                      text={`${formatMiB(one.usedMiB)} of ${formatMiB(one.capacityMiB)}`}
                    />
                    <span className="sf-subtle">{one.uses.length === 0 ? 'no service known' : usesOf(one)}</span>
                  </li>
                ))}
                {here.length > LISTED && <li className="sf-subtle">and {here.length - LISTED} more</li>}
              </ul>
            </section>
          );
        })}
      </CardBody>
    </Card>
  );
}
