/**
 * libsignal prints whole sessions, private keys included, to the console (session_record.js, session_cipher.js,
 * session_builder.js). These are the beginnings of everything that it prints; nothing else is held back.
 */
const LIBSIGNAL_BEGINNINGS: readonly string[] = [
  'Closing session:',
  'Opening session:',
  'Session already closed',
  'Session already open',
  'Removing old closed session:',
  'Migrating session to:',
  'V1 session storage migration error:',
  'Closing open session in favor of incoming prekey bundle',
  'Closing stale open session for new outgoing prekey bundle',
  'Failed to decrypt message with any known session',
  'Session error:',
  'Decrypted message with closed session.',
  'Unhandled bucket type (for naming):',
  'WARNING: Expected pubkey of length 33',
];

const METHODS = ['log', 'info', 'warn', 'error'] as const;
const silenced = new WeakSet<Console>();

/** Holds libsignal's lines back from this console, for as long as the process lives. May be called again. */
export function silenceLibsignal(target: Console = console): void {
  if (silenced.has(target)) return;
  silenced.add(target);
  for (const method of METHODS) {
    const print = target[method].bind(target);
    target[method] = (...args: unknown[]) => {
      if (!isLibsignals(args[0])) print(...args);
    };
  }
}

function isLibsignals(first: unknown): boolean {
  return typeof first === 'string' && LIBSIGNAL_BEGINNINGS.some((beginning) => first.startsWith(beginning));
}
