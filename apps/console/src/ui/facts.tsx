import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Timestamp,
  TimestampTooltipVariant,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { formatAge } from '../view-model/format.ts';

/** What is known of one thing: names and values. What is undefined is left out. */
export function Facts({
  of,
  columns = 1,
}: {
  readonly of: readonly (readonly [string, ReactNode])[];
  readonly columns?: 1 | 2 | 3;
}) {
  return (
    <DescriptionList isCompact isHorizontal={columns === 1} columnModifier={{ default: '1Col', lg: `${columns}Col` }}>
      {of
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <DescriptionListGroup key={name}>
            <DescriptionListTerm>{name}</DescriptionListTerm>
            <DescriptionListDescription>{value}</DescriptionListDescription>
          </DescriptionListGroup>
        ))}
    </DescriptionList>
  );
}

/** How long ago, and when exactly. */
export function Ago({ at }: { readonly at: number }) {
  return (
    <Timestamp date={new Date(at)} tooltip={{ variant: TimestampTooltipVariant.default }} className="sf-ago">
      {formatAge(Date.now() - at)}
    </Timestamp>
  );
}
