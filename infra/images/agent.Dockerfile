# syntax=docker/dockerfile:1
# An agent: the daemon, a system for its tenant, and OpenClaw. Built by infra/images/build, from the
# root of the repository.
#
# Bases are pinned by version. To pin them to the byte, give a digest after it:
#   --build-arg DEBIAN=debian:13.5-slim@sha256:…
ARG RUST=rust:1.96.1-slim-trixie
ARG NODE=node:24.21.0-trixie-slim
ARG DEBIAN=debian:13.5-slim

# Compiled where it is built, for where it runs: emulated, a compiler takes an hour.
FROM --platform=$BUILDPLATFORM $RUST AS build
ARG BUILDARCH TARGETARCH
RUN apt-get update && apt-get install -y --no-install-recommends g++ make pkg-config && \
    { [ "$TARGETARCH" = "$BUILDARCH" ] || apt-get install -y --no-install-recommends "crossbuild-essential-$TARGETARCH"; }
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target,id=agent-$TARGETARCH \
    case $TARGETARCH in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) exit 1 ;; esac && \
    export CARGO_BUILD_TARGET=$machine-unknown-linux-gnu CARGO_TARGET_DIR=/target && \
    if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
      export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
             CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc && \
      rustup target add "$CARGO_BUILD_TARGET"; \
    fi && \
    cargo build --locked --release --package agent --bin openclaw-agent && \
    mkdir /out && cp "/target/$CARGO_BUILD_TARGET/release/openclaw-agent" /out/

FROM --platform=$BUILDPLATFORM $NODE AS openclaw
ARG TARGETARCH
WORKDIR /opt/openclaw
COPY infra/images/openclaw/package.json infra/images/openclaw/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    case $TARGETARCH in amd64) cpu=x64 ;; arm64) cpu=arm64 ;; *) exit 1 ;; esac && \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund --os=linux --cpu=$cpu --libc=glibc && \
    find node_modules -name '*.map' -type f -delete

FROM $NODE AS node

FROM $DEBIAN AS agent
# The tenant's, and what sets one file's rights below. Nothing is left that runs as its owner.
RUN apt-get update && apt-get install -y --no-install-recommends \
      bash ca-certificates curl git less libcap2-bin nano openssh-client procps unzip xz-utils && \
    rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/aux-cache && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} + && \
    groupadd --gid 1000 agent && \
    useradd --uid 1000 --gid 1000 --shell /bin/bash --create-home --skel /dev/null agent && \
    groupadd --gid 900 openclaw && \
    useradd --uid 900 --gid 900 --shell /usr/sbin/nologin --no-create-home --home-dir /nonexistent openclaw
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
COPY --from=openclaw /opt/openclaw /opt/openclaw
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && \
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && \
    ln -s /opt/openclaw/node_modules/.bin/openclaw /usr/local/bin/openclaw
# The daemon becomes the tenant to start its programs and where files are concerned, gives it its home,
# signals its programs and connects for them. In one step, so that no layer has the file twice, and checked.
RUN --mount=type=bind,from=build,source=/out,target=/out \
    cp /out/openclaw-agent /usr/local/bin/ && \
    setcap cap_chown,cap_kill,cap_setgid,cap_setuid,cap_sys_ptrace=ep /usr/local/bin/openclaw-agent && \
    setcap -v cap_chown,cap_kill,cap_setgid,cap_setuid,cap_sys_ptrace=ep /usr/local/bin/openclaw-agent
ENV LANG=C.UTF-8
# Fargate gives these as volumes, and takes owner and mode from here: the rest is read-only there.
VOLUME ["/home/agent", "/tmp"]
USER openclaw
EXPOSE 7009
ENTRYPOINT ["/usr/local/bin/openclaw-agent"]
