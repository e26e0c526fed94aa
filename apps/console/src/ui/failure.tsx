import { ApiError } from '@superfluidity/api';
import { isSuperfluidityError } from '@superfluidity/core';
import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { DisconnectedIcon } from '@patternfly/react-icons/dist/esm/icons/disconnected-icon';
import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { LockIcon } from '@patternfly/react-icons/dist/esm/icons/lock-icon';
import { SearchIcon } from '@patternfly/react-icons/dist/esm/icons/search-icon';
import type { ComponentType, ReactNode } from 'react';
import { errorBodyOf, ErrorView } from './error-view.tsx';

interface Look {
  readonly kind: 'forbidden' | 'absent' | 'silent' | 'failed';
  readonly icon: ComponentType;
  readonly title: string;
  readonly words: string;
}

function lookOf(error: unknown, what: string): Look {
  const status = error instanceof ApiError ? error.status : undefined;
  if (status === 403) {
    const words =
      'It answers, but not to whoever may only read. Ask an admin for the role, or open the console with a token that has it.';
    return { kind: 'forbidden', icon: LockIcon, title: `You may not see it: ${what}`, words };
  }
  if (status === 404) {
    const words = 'It may have been removed, or have another name: an address is no proof that something is there.';
    return { kind: 'absent', icon: SearchIcon, title: `Not there: ${what}`, words };
  }
  if (isSuperfluidityError(error, 'SF-API-UNREACHABLE')) {
    const words = 'The console asks again by itself. On the machine of the control plane: npm start';
    return { kind: 'silent', icon: DisconnectedIcon, title: 'The control plane does not answer', words };
  }
  const words = 'Nothing was changed by looking. It can be asked again.';
  return { kind: 'failed', icon: ExclamationCircleIcon, title: `The control plane failed: ${what}`, words };
}

/** A page, or part of one, whose answer is a refusal: what it means, the error with its code, and where to go from here. */
export function Failure(props: {
  readonly error: unknown;
  readonly what: string;
  readonly onRetry?: () => void;
  /** A way back: the list to which it would belong. */
  readonly elsewhere?: ReactNode;
  /** Where it is the page: its only heading of the first level. */
  readonly isPage?: boolean;
}) {
  const { kind, icon, title, words } = lookOf(props.error, props.what);
  return (
    <EmptyState
      titleText={title}
      headingLevel={props.isPage === true ? 'h1' : 'h2'}
      icon={icon}
      data-failure={kind}
      {...(kind === 'failed' ? { status: 'danger' as const } : kind === 'absent' ? {} : { status: 'warning' as const })}
    >
      <EmptyStateBody>{words}</EmptyStateBody>
      <ErrorView error={errorBodyOf(props.error)} title={kind === 'absent' ? 'What was asked' : 'What it said'} />
      <EmptyStateFooter>
        <EmptyStateActions>
          {props.onRetry !== undefined && kind !== 'forbidden' && (
            <Button variant="primary" onClick={props.onRetry}>
              Ask again
            </Button>
          )}
          {props.elsewhere}
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
