import type { GetControlled } from '../controlled.ts';
import { PlainText, type Route } from '../router.ts';

export const metaRoutes = (simulator: GetControlled): Route[] => [
  { method: 'GET', path: '/health', handle: () => ({ status: 'ok' }) },
  {
    method: 'GET',
    path: '/info',
    handle: () => {
      const { url, controlUrl, mediaHost, rootPublicKey, seed } = simulator();
      return { url, controlUrl, mediaHost, rootPublicKey, seed };
    },
  },
  { method: 'GET', path: '/media-certificate', handle: () => new PlainText(simulator().mediaCertificate) },
];
