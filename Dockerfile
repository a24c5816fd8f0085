# A guard behind HTTP: harmaug serve on port 8080, for the folder of an exported guard at /guard.
#
#   docker build -t harmaug .
#   docker run --read-only --cap-drop ALL -p 8080:8080 -v ./guard:/guard:ro -e HARMAUG_API_KEYS=… harmaug
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY packages/onnx-grad/package.json packages/onnx-grad/
COPY packages/models/package.json packages/models/
COPY packages/guard/package.json packages/guard/
COPY packages/harmaug/package.json packages/harmaug/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY packages packages
# Without node-llama-cpp and the like, optional to the others. onnxruntime-node brings its libraries for every system.
RUN npm run build \
 && npm prune --omit=dev --omit=optional --ignore-scripts \
 && rm -rf packages/*/src packages/*/scripts packages/*/tsconfig*.json \
 && cd node_modules/onnxruntime-node/bin/napi-v* \
 && find . -mindepth 1 -maxdepth 1 ! -name linux -exec rm -r {} + \
 && find linux -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -r {} +

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/packages packages
USER node
EXPOSE 8080
HEALTHCHECK --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "packages/harmaug/bin/harmaug.js", "serve"]
CMD ["/guard", "--host", "0.0.0.0"]
