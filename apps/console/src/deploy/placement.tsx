import type { Assignment } from '@superfluidity/api';
import { Label, List, ListItem } from '@patternfly/react-core';
import { EnvironmentIcon } from '../ui/environment.tsx';

const UNITS_LISTED = 60;

/** Which unit goes to which host of which site, and why. */
export function Placement({ assignments }: { readonly assignments: readonly Assignment[] }) {
  const sites = [...Map.groupBy(assignments, (one) => one.site)];
  return (
    <div className="sf-placement">
      {sites.map(([site, ofSite]) => (
        <section key={site} aria-labelledby={`placed-${site}`} data-placed-on={site}>
          <h3 id={`placed-${site}`}>
            {site}{' '}
            <Label isCompact variant="outline">
              {ofSite.length} {ofSite.length === 1 ? 'unit' : 'units'}
            </Label>
          </h3>
          <ul>
            {ofSite.slice(0, UNITS_LISTED).map((one) => (
              <li key={one.unit}>
                <EnvironmentIcon of={one.environment} />
                <div>
                  <strong>{one.unit}</strong> <span className="sf-subtle">on {one.host}</span>
                  <List isPlain>
                    {one.reasons.map((reason) => (
                      <ListItem key={reason} className="sf-subtle">
                        {reason}
                      </ListItem>
                    ))}
                  </List>
                </div>
              </li>
            ))}
            {ofSite.length > UNITS_LISTED && <li className="sf-subtle">and {ofSite.length - UNITS_LISTED} more</li>}
          </ul>
        </section>
      ))}
    </div>
  );
}
