import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { forgetConnections } from '../api/connections-store.ts';
import { startStream, stopStream } from '../api/event-stream.ts';
import { loadSession, session, sessionUnknown } from '../api/session.ts';
import { Announcer } from '../components/announcer.tsx';
import { Button } from '../components/button.tsx';
import { Notice } from '../components/notice.tsx';
import { Loading } from '../components/states.tsx';
import { SignInPage } from '../pages/sign-in/sign-in.page.tsx';
import { CurrentPage } from './current-page.tsx';
import { OfflineBanner } from './live-mark.tsx';
import { Sidebar } from './sidebar.tsx';

/** Who is signed in decides what there is: nothing is fetched and no stream is open for nobody. */
export function App() {
  useEffect(() => void loadSession(), []);
  useSignalEffect(() => {
    if (session.value) startStream();
    if (session.value === null) {
      stopStream();
      forgetConnections();
    }
  });
  return (
    <>
      <Content />
      <Announcer />
    </>
  );
}

function Content() {
  if (session.value === null) return <SignInPage />;
  if (session.value === undefined) return sessionUnknown.value ? <NoAnswer /> : <Loading label="Signing in" />;
  return (
    <div class="shell">
      <a class="skip-link" href="#main">
        Skip to the content
      </a>
      <Sidebar />
      <main id="main" class="shell-main" tabIndex={-1}>
        <OfflineBanner />
        <CurrentPage />
      </main>
    </div>
  );
}

const RETRY_MS = 2_000;

function NoAnswer() {
  useEffect(() => {
    const timer = setInterval(() => void loadSession(), RETRY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="centre">
      <Notice
        tone="warn"
        urgent
        title="Castellan does not answer"
        actions={<Button onClick={() => void loadSession()}>Try now</Button>}
      >
        It is tried again by itself.
      </Notice>
    </main>
  );
}
