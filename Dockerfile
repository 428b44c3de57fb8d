# The root file system of the managed plugin: hostvold, the libraries it loads, empty directories.
# No shell, no package manager. scripts/build-plugin turns it into a plugin.
# Plain Dockerfile syntax on purpose: it builds with BuildKit and without.

ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# Packages first: a change of the source does not install them again.
COPY scripts/packages /src/scripts/packages
RUN apt-get -o Acquire::Retries=3 update \
	&& DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y --no-install-recommends \
		$(sed -n 's/^build  *//p' /src/scripts/packages) \
	&& rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . /src
RUN cmake -S . -B /build -DCMAKE_BUILD_TYPE=Release -DHOSTVOL_TESTS=OFF \
	&& cmake --build /build --parallel "$(nproc)" \
	&& cmake --install /build --prefix /out \
	&& scripts/make-rootfs /out/bin/hostvold /rootfs \
	&& rm -rf /build

FROM scratch
COPY --from=build /rootfs/ /
