import type { DeviceInfo } from '../contracts/entities.ts';

/** What the phone shows in its list of linked devices: operating system, browser, version. */
export type Browser = [os: string, browser: string, version: string];

const DEFAULT: Browser = ['Mac OS', 'Chrome', '14.4.1'];

export function browserOf(deviceInfo: DeviceInfo | null): Browser {
  if (deviceInfo === null) return DEFAULT;
  if (typeof deviceInfo === 'string') return [deviceInfo, DEFAULT[1], DEFAULT[2]];
  const { os = DEFAULT[0], browser = DEFAULT[1], version = DEFAULT[2] } = deviceInfo;
  return [os, browser, version];
}
