const levels = ['log', 'info', 'warn', 'error'] as const;

/** Collects what is printed instead of printing it: the libsignal of real clients prints every session that it closes. */
export function quietConsole(): { printed: unknown[][]; restore(): void } {
  const originals = levels.map((level) => [level, console[level]] as const);
  const printed: unknown[][] = [];
  for (const level of levels) console[level] = (...line: unknown[]) => void printed.push(line);
  return {
    printed,
    restore: () => {
      for (const [level, original] of originals) console[level] = original;
    },
  };
}
