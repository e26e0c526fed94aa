import { PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { memo } from 'react';

/** What the tabs of a page stand above: they name it as what they control. */
export const TAB_CONTENT = 'tab-content';

/** The one of the tabs that an address names, else the first. */
export function tabOf<T extends string>(tabs: Readonly<Record<T, string>>, asked: string | undefined): T {
  const names = Object.keys(tabs) as T[];
  return names.find((name) => name === asked) ?? names[0]!;
}

/** The parts of a page. What a list of one part was filtered by stays behind, and is there again when one goes back. */
function Bar<T extends string>({
  label,
  tabs,
  now,
}: {
  readonly label: string;
  readonly tabs: Readonly<Record<T, string>>;
  readonly now: T;
}) {
  const pathname = useLocation({ select: (at) => at.pathname });
  const navigate = useNavigate();
  return (
    <PageSection type="tabs" className="sf-tabs" hasBodyWrapper={false}>
      <Tabs
        activeKey={now}
        // Here and not in the tab, where it would take the place of the handler that PatternFly gives it.
        onSelect={(event, key) => {
          event.preventDefault();
          void navigate({ to: '.', search: { tab: String(key) } as never });
        }}
        aria-label={label}
        component="nav"
      >
        {(Object.entries(tabs) as [T, string][]).map(([name, title]) => (
          <Tab
            key={name}
            eventKey={name}
            tabContentId={TAB_CONTENT}
            title={<TabTitleText>{title}</TabTitleText>}
            href={`${pathname}?tab=${name}`}
          />
        ))}
      </Tabs>
    </PageSection>
  );
}

/** Not drawn anew with its page: each time, PatternFly measures the tabs, and the browser lays out the page for that. */
export const PageTabs = memo(Bar) as typeof Bar;
