/** The layers of the house; a row forbids what would turn an arrow round. */
const layers = [
  ['services may not import each other', '^services/', '^services/'],
  ['mixins sit below services', '^mixins/', '^services/'],
  ['lib knows neither services nor mixins', '^lib/', '^(services|mixins)/'],
  [
    'the HTTP side sits above the domains',
    '^lib/(session|cluster|messaging|webhooks|events|users|connections|scheduler)/',
    '^lib/http/',
  ],
  [
    'storage sits below the domains',
    '^lib/storage/',
    '^lib/(session|cluster|messaging|webhooks|events|users|connections|scheduler|http)/',
  ],
  [
    'the base imports nothing above it',
    '^lib/(contracts/|errors|ids|config|clock|log)',
    '^lib/(storage|session|cluster|messaging|webhooks|events|users|connections|scheduler|http)/',
  ],
  ['the product and the simulator do not know each other', '^(services|mixins|lib)/', '^simulator/'],
  ['the simulator imports nothing of the product', '^simulator/', '^((services|mixins|lib)/|start)'],
  ['nothing below the start imports it', '^(services|mixins|lib)/', '^start'],
];

export default {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layers.map(([name, from, to]) => ({ name, severity: 'error', from: { path: from }, to: { path: to } })),
    {
      name: 'only lib/session/baileys imports Baileys in the product',
      severity: 'error',
      from: { path: '^(services|mixins|lib)/', pathNot: '^lib/session/baileys/' },
      to: { path: 'node_modules/(@whiskeysockets/baileys|libsignal)/' },
    },
    {
      name: 'the dashboard takes types of the API from the product, nothing that runs',
      severity: 'error',
      from: { path: '^dashboard/' },
      to: { path: '^(lib|services|mixins|simulator)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the dashboard takes types of the API, no others',
      severity: 'error',
      from: { path: '^dashboard/' },
      to: { path: '^(lib|services|mixins|simulator)/', pathNot: '^lib/(contracts/|errors[.]ts)' },
    },
    {
      name: 'nothing imports the dashboard',
      severity: 'error',
      from: { pathNot: '^(dashboard|test)/' },
      to: { path: '^dashboard/' },
    },
    { name: 'everything imported can be found', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dashboard/dist/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
