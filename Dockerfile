# The image of both Deployments: the server (the entry point) and the rotator (`python -m certs rotate`).
# Pin the base by digest: --build-arg BASE=docker.io/library/python:3.13-slim-bookworm@sha256:…
ARG BASE=docker.io/library/python:3.13-slim-bookworm
# The same image for the platform of the builder. Old releases of buildah need another name for it (tools/release/images.py).
ARG BUILD_BASE=${BASE}

# Built on the platform of the builder: the wheels of another platform are only unpacked, so no emulation is needed.
FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS build
ARG TARGETARCH
# For a build without a network: a folder of wheels (`make release`).
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
# Reproducible: no dates, and no random order of sets in the bytecode.
ENV PYTHONHASHSEED=0 \
    SOURCE_DATE_EPOCH=315532800 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# /build has the build tools and is not in the final image. /app is in the final image, without pip.
COPY requirements/build.txt requirements/server.txt requirements/
RUN python -m venv /build \
 && /build/bin/pip install --quiet --require-hashes --only-binary=:all: -r requirements/build.txt \
 && python -m venv --without-pip /app \
 && case "${TARGETARCH}" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) machine=$(uname -m) ;; esac \
 && packages=$(/app/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
 && /build/bin/pip install --quiet --require-hashes --only-binary=:all: --no-compile --target "${packages}" \
      --platform "manylinux_2_28_${machine}" --platform "manylinux_2_17_${machine}" --platform "manylinux2014_${machine}" \
      -r requirements/server.txt \
 && rm -r "${packages:?}/bin"
COPY pyproject.toml README.md LICENSE ./
COPY certs/ certs/
COPY webhook/ webhook/
# Compiled here, because the root file system is read-only later. Unchecked, because dates in an image mean nothing. With -f,
# because pip has already compiled some modules.
RUN /build/bin/python -m hatchling build --target wheel --directory /wheel \
 && /build/bin/pip --python /app/bin/python install --quiet --no-index --no-deps --no-compile /wheel/*.whl \
 && /app/bin/python -m compileall -f -q -j 1 --invalidation-mode unchecked-hash /app/lib \
 && find /app -exec touch --no-dereference --date=@${SOURCE_DATE_EPOCH} {} +

# Old releases of buildah would take the platform of the stage above.
# hadolint ignore=DL3065
FROM --platform=$TARGETPLATFORM ${BASE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Migratable" \
      org.opencontainers.image.description="Checks, before a VM runs, whether KubeVirt can live-migrate it." \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.source="https://github.com/OWNER/migratable" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /app /app
# Safe path: `python -m certs` never loads a module from the working directory.
ENV PATH=/app/bin:${PATH} \
    PYTHONSAFEPATH=1
WORKDIR /tmp
USER 65532:65532
EXPOSE 9443 8443 8080
# No HEALTHCHECK: the kubelet probes /livez and /readyz on the health port.
ENTRYPOINT ["migratable"]
CMD ["serve", "--in-cluster", "--host=0.0.0.0"]
