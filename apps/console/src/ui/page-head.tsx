import { Breadcrumb, BreadcrumbItem, Content, PageSection, Title } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { PagePath } from '../view-model/pages.ts';

/** Title of a page, the way back to its list, and what can be done with the whole of it. */
export function PageHead(props: {
  readonly title: string;
  readonly about?: ReactNode;
  readonly parent?: { readonly to: PagePath; readonly title: string };
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <PageSection className="sf-page-head" hasBodyWrapper={false}>
      {props.parent !== undefined && (
        <Breadcrumb>
          <BreadcrumbItem
            render={({ className }) => (
              <Link to={props.parent!.to} className={className}>
                {props.parent!.title}
              </Link>
            )}
          />
          <BreadcrumbItem isActive>{props.title}</BreadcrumbItem>
        </Breadcrumb>
      )}
      <div className="sf-page-head__line">
        <Title headingLevel="h1" size="xl">
          {props.title}
        </Title>
        {props.beside}
        {props.actions !== undefined && <div className="sf-page-head__actions">{props.actions}</div>}
      </div>
      {props.about !== undefined && (
        <Content component="p" className="sf-subtle">
          {props.about}
        </Content>
      )}
    </PageSection>
  );
}
