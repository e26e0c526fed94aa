import { Nav, NavGroup, NavItem, PageSidebar, PageSidebarBody } from '@patternfly/react-core';
import { BundleIcon } from '@patternfly/react-icons/dist/esm/icons/bundle-icon';
import { CatalogIcon } from '@patternfly/react-icons/dist/esm/icons/catalog-icon';
import { ChartLineIcon } from '@patternfly/react-icons/dist/esm/icons/chart-line-icon';
import { CogIcon } from '@patternfly/react-icons/dist/esm/icons/cog-icon';
import { HistoryIcon } from '@patternfly/react-icons/dist/esm/icons/history-icon';
import { PencilRulerIcon } from '@patternfly/react-icons/dist/esm/icons/pencil-ruler-icon';
import { ProcessAutomationIcon } from '@patternfly/react-icons/dist/esm/icons/process-automation-icon';
import { RocketIcon } from '@patternfly/react-icons/dist/esm/icons/rocket-icon';
import { SecurityIcon } from '@patternfly/react-icons/dist/esm/icons/security-icon';
import { ServerIcon } from '@patternfly/react-icons/dist/esm/icons/server-icon';
import { TachometerAltIcon } from '@patternfly/react-icons/dist/esm/icons/tachometer-alt-icon';
import { Link, useLocation } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { groups, pageAt, type PagePath, pages } from '../view-model/pages.ts';

const icons: Readonly<Record<PagePath, ComponentType>> = {
  '/': TachometerAltIcon,
  '/services': BundleIcon,
  '/operations': ProcessAutomationIcon,
  '/catalogue': CatalogIcon,
  '/designer': PencilRulerIcon,
  '/deploy': RocketIcon,
  '/verification': SecurityIcon,
  '/infrastructure': ServerIcon,
  '/insight': ChartLineIcon,
  '/events': HistoryIcon,
  '/settings': CogIcon,
};

/** Where the navigation lies over the page, it has done its work when a page was chosen. */
function closeOverlay(): void {
  if (!matchMedia('(min-width: 75rem)').matches)
    document.querySelector<HTMLElement>('.pf-v6-c-masthead__toggle button')?.click();
}

export function Navigation() {
  const here = pageAt(useLocation({ select: (at) => at.pathname }));
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages" onSelect={closeOverlay}>
          {groups.map((group) => (
            <NavGroup key={group} title={group}>
              {pages
                .filter((page) => page.group === group)
                .map((page) => {
                  const Icon = icons[page.to];
                  return (
                    <NavItem key={page.to} itemId={page.to} isActive={page === here}>
                      <Link to={page.to} {...(page === here ? { 'aria-current': 'page' } : {})}>
                        <span className="pf-v6-c-nav__link-icon">
                          <Icon />
                        </span>
                        <span className="pf-v6-c-nav__link-text">{page.title}</span>
                      </Link>
                    </NavItem>
                  );
                })}
            </NavGroup>
          ))}
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
