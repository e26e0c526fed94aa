import '@patternfly/react-core/dist/styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App, askAhead } from './app.tsx';
import { keepCredential } from './data/credential.ts';
import { startTheme } from './data/theme.ts';
import { takeToken } from './view-model/token.ts';
// After the components whose styles they change.
import './styles/tokens.css';
import './styles/parts.css';
import './styles/panels.css';
import './styles/operation.css';
import './styles/site-cards.css';
import './styles/console.css';
import './styles/shell.css';
import './styles/lists.css';
import './styles/log.css';
import './styles/plan.css';
import './styles/failure.css';
import './styles/heat.css';
import './styles/attention.css';
import './styles/infrastructure.css';

/** True when there was a token in the URL. */
function takeTokenOfUrl(): boolean {
  const taken = takeToken(location.hash);
  if (taken.token !== undefined) keepCredential({ kind: 'token', token: taken.token });
  if (taken.hash !== location.hash) history.replaceState(null, '', location.pathname + location.search + taken.hash);
  return taken.token !== undefined;
}

takeTokenOfUrl();
// A link with a token that is opened in a tab that is here already does not load the page again.
addEventListener('hashchange', () => {
  if (takeTokenOfUrl()) location.reload();
});

/** Longer nobody waits for what is not there yet: the page fills as it comes. */
const TOGETHER_MS = 300;

startTheme();
const late = new Promise<void>((resolve) => setTimeout(resolve, TOGETHER_MS));
void Promise.race([askAhead(), late]).then(() => {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
});
