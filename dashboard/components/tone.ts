/** What a colour says; the word beside it says it too. */
export type Tone = 'ok' | 'info' | 'warn' | 'bad' | 'idle';
