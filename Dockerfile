# One image for every role: SERVICES says which (see docs/operations.md). There is no build step for the server, because
# Node strips the types; only the dashboard is built.
#
#   docker build --tag castellan .
#   docker build --tag castellan-simulator --target simulator .     (for the end-to-end tests only)
#
# npm settings that a build needs (a mirror, a proxy) go in as a secret and end up in no layer:
#   docker build --secret id=npmrc,src=$HOME/.npmrc ...

FROM node:26-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json ./

FROM manifests AS all-dependencies
# scripts are left out: one of them fetches a Node for machines that have an older one
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund

FROM manifests AS dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules \( -name '*.map' -o -name '*.md' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -type f -delete

FROM all-dependencies AS dashboard
COPY tsconfig.json ./
COPY dashboard dashboard
RUN node dashboard/build.mjs

# The local WhatsApp and what drives traffic through it. Needs development dependencies and is no part of the product.
FROM all-dependencies AS simulator
COPY simulator simulator
COPY scripts scripts
USER 1000:1000
EXPOSE 8800 8801
CMD ["node", "simulator/cli.ts", "--host", "0.0.0.0", "--public-host", "simulator"]

FROM node:26-bookworm-slim AS runtime
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 HEALTH_PORT=3001 DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown 1000:1000 /data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dashboard /app/dashboard/dist dashboard/dist
COPY package.json LICENSE server.mjs start.ts moleculer.config.ts ./
COPY scripts/node-version.mjs scripts/drain.mjs scripts/
COPY lib lib
COPY mixins mixins
COPY services services
USER 1000:1000
VOLUME /data
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=70s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.mjs"]
