import {
  Button,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  PageToggleButton,
  Tooltip,
} from '@patternfly/react-core';
import { MoonIcon } from '@patternfly/react-icons/dist/esm/icons/moon-icon';
import { SearchIcon } from '@patternfly/react-icons/dist/esm/icons/search-icon';
import { SignOutAltIcon } from '@patternfly/react-icons/dist/esm/icons/sign-out-alt-icon';
import { SunIcon } from '@patternfly/react-icons/dist/esm/icons/sun-icon';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { type Reachability, useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { theme, toggleTheme } from '../data/theme.ts';
import { Brand } from '../ui/brand.tsx';

const reachabilityWords: Readonly<Record<Reachability, string>> = {
  connecting: 'connecting',
  live: 'live',
  silent: 'no answer',
  refused: 'refused',
  ended: 'signed out',
};

export function ShellMasthead({
  onPalette,
  onLeave,
}: {
  readonly onPalette: () => void;
  readonly onLeave: () => void;
}) {
  const session = useSession();
  const reachability = useStore(session.reachability);
  const { kind } = useStore(session.credential);
  const q = useQueriesOf();
  const system = useQuery(q.system);
  const me = useQuery(q.me);
  const shown = useStore(theme);
  const other = shown === 'dark' ? 'light' : 'dark';
  return (
    <Masthead className="sf-masthead" display={{ default: 'inline' }}>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton isHamburgerButton aria-label="Navigation" />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo
            component={(props: object) => <Link to="/" aria-label="Superfluidity, to the overview" {...props} />}
          >
            <Brand />
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Button
          variant="plain"
          className="sf-palette-button"
          icon={<SearchIcon />}
          aria-keyshortcuts="Control+K"
          onClick={onPalette}
        >
          <span className="sf-palette-button__words">Find or do</span>
          <kbd>Ctrl K</kbd>
        </Button>
        <div className="sf-masthead__end">
          <span className={`sf-reach sf-reach--${reachability}`} role="status">
            <i aria-hidden="true" />
            {reachabilityWords[reachability]}
          </span>
          {me.data !== undefined && system.data !== undefined && (
            <Tooltip
              content={`Superfluidity ${system.data.version} on ${system.data.executor}, database ${system.data.database}`}
            >
              <span className="sf-version" tabIndex={0}>
                {me.data.name}
                {me.data.role === 'reader' && ', may only read'}
              </span>
            </Tooltip>
          )}
          <Button
            variant="plain"
            aria-label={`Switch to the ${other} theme`}
            icon={other === 'dark' ? <MoonIcon /> : <SunIcon />}
            onClick={toggleTheme}
          />
          <Tooltip content={kind === 'session' ? 'Sign out in this browser' : 'Forget the token of this tab'}>
            <Button
              variant="plain"
              aria-label={kind === 'session' ? 'Sign out' : 'Leave'}
              icon={<SignOutAltIcon />}
              onClick={onLeave}
            />
          </Tooltip>
        </div>
      </MastheadContent>
    </Masthead>
  );
}
