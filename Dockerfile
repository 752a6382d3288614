# The image of Galleria; docs/image.md says what it holds, and how to build, run and verify it.

# Name digests (python@sha256:…) where an image has to be built again bit by bit.
ARG PYTHON_IMAGE=python:3.14-slim-trixie
ARG NODE_IMAGE=node:24-trixie-slim


FROM ${NODE_IMAGE} AS graphiql
WORKDIR /graphiql
COPY server/graphiql/package.json server/graphiql/package-lock.json server/graphiql/.npmrc ./
# What npm needs to bundle comes ready made; no package gets to run a script of its own.
RUN ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
COPY server/graphiql/build.mjs server/graphiql/bundle.mjs server/graphiql/licences.mjs ./
COPY server/graphiql/src src
RUN ["node", "build.mjs", "/dist"]


FROM ${PYTHON_IMAGE} AS build
# The order of sets finds its way into compiled code.
ENV PYTHONHASHSEED=0 \
    PYTHONDONTWRITEBYTECODE=1
COPY requirements/runtime.txt /requirements.txt
# Without pip of its own: nothing is installed once the image is built.
RUN python3 -m venv --without-pip /opt/galleria \
    && python3 -m pip --python /opt/galleria/bin/python --disable-pip-version-check --quiet install \
        --no-cache-dir --no-compile --require-hashes --only-binary :all: --requirement /requirements.txt
WORKDIR /srv/galleria
COPY LICENSE alembic.ini ./
COPY core core
COPY engine engine
COPY jobs jobs
COPY loaders loaders
COPY migrations migrations
COPY models models
COPY resolvers resolvers
COPY schema schema
COPY server server
COPY --from=graphiql /dist server/graphiql/dist
# Whoever checked the sources out for himself alone builds the same image, and one that others can read. Nothing can
# change the files in it, so that nothing has to look whether they were changed since they were compiled.
RUN rm -r server/graphiql/src server/graphiql/package*.json server/graphiql/.npmrc server/graphiql/*.mjs \
    && chmod -R u=rwX,go=rX . \
    && /opt/galleria/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/galleria/lib .


FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Galleria" \
      org.opencontainers.image.description="A self-hosted, multi-tenant commerce server with one GraphQL API." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/galleria /opt/galleria
COPY --from=build /srv/galleria /srv/galleria
ENV PATH=/opt/galleria/bin:${PATH} \
    PYTHONPATH=/srv/galleria \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GALLERIA_ENVIRONMENT=production \
    GALLERIA_HOST=0.0.0.0 \
    GALLERIA_DATA=/tmp/galleria
WORKDIR /srv/galleria
# By number: only so can Kubernetes see that it is not root.
USER 10001:10001
EXPOSE 8000 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-m", "server", "probe", "live"]
ENTRYPOINT ["python", "-m", "server"]
CMD ["serve"]
