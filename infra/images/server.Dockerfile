# syntax=docker/dockerfile:1
# The console: `server` for ECS, and `lambda`, the same with Lambda Web Adapter. Built by
# infra/images/build, from the root of the repository.
#
# Bases are pinned by version. To pin them to the byte, give a digest after it:
#   --build-arg DEBIAN=debian:13.5-slim@sha256:…
ARG RUST=rust:1.96.1-slim-trixie
ARG DEBIAN=debian:13.5-slim
ARG ADAPTER=public.ecr.aws/awsguru/aws-lambda-adapter:1.0.1

# Compiled where it is built, for where it runs: emulated, a compiler takes an hour.
FROM --platform=$BUILDPLATFORM $RUST AS tools
RUN apt-get update && apt-get install -y --no-install-recommends \
      bubblewrap ca-certificates g++ git make nodejs npm pkg-config xz-utils
WORKDIR /src
# What brings the tools, before what changes daily.
COPY Cargo.toml Cargo.lock package.json package-lock.json ./
COPY script/bootstrap script/env script/
RUN --mount=type=cache,target=/usr/local/cargo/registry script/bootstrap

FROM tools AS build
ARG BUILDARCH TARGETARCH
RUN [ "$TARGETARCH" = "$BUILDARCH" ] || { apt-get update && \
      apt-get install -y --no-install-recommends "crossbuild-essential-$TARGETARCH"; }
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target,id=server-$TARGETARCH \
    case $TARGETARCH in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) exit 1 ;; esac && \
    export CARGO_BUILD_TARGET=$machine-unknown-linux-gnu CARGO_TARGET_DIR=/target CI=1 && \
    if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
      export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
             CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc && \
      rustup target add "$CARGO_BUILD_TARGET"; \
    fi && \
    script/build release && \
    mkdir /out && cp "/target/$CARGO_BUILD_TARGET/release/openclaw-cloud" /out/ && \
    cp -r /root/.cache/openclaw-cloud/site-release /out/site && rm -f /out/site/built.json

# Nothing is installed into it, so nothing of the processor's is run to make it.
FROM $DEBIAN AS server
COPY --from=tools /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/site /usr/share/openclaw-cloud
COPY --from=build /out/openclaw-cloud /usr/local/bin/
ENV OPENCLAW_CLOUD_SITE=/usr/share/openclaw-cloud
USER 65532:65532
EXPOSE 7007 7008
ENTRYPOINT ["/usr/local/bin/openclaw-cloud"]
CMD ["serve"]

FROM $ADAPTER AS adapter

FROM server AS lambda
COPY --from=adapter /lambda-adapter /opt/extensions/lambda-adapter

# What is built where no target is named.
FROM server
