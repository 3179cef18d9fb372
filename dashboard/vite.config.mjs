import { defineConfig } from 'vite';

/** Everything in files of our own: the page's policy allows nothing inline and no other host. */
export default defineConfig({
  root: import.meta.dirname,
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    /* esbuild would rewrite light-dark() for browsers that the script does not run in anyway */
    cssTarget: 'esnext',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
