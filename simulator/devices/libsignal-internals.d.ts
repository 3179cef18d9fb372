/** What libsignal's main typings leave out. */
declare module 'libsignal/src/protobufs.js' {
  export interface PreKeyWhisperMessageFields {
    registrationId: number;
    preKeyId: number;
    signedPreKeyId: number;
    baseKey: Buffer;
    identityKey: Buffer;
    message: Buffer;
  }
  export const PreKeyWhisperMessage: { decode(bytes: Uint8Array): PreKeyWhisperMessageFields };
}
