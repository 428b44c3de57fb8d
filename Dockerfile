# The root file system of the managed plugin: hostvold, a static program, and empty directories.
# No shell, no package manager. scripts/build-plugin turns it into a plugin.
# Plain Dockerfile syntax on purpose: it builds with BuildKit and without.

ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# Packages and libraries first: a change of the source does not make them again.
COPY scripts/packages scripts/static-libs /src/scripts/
RUN apt-get -o Acquire::Retries=3 update \
	&& DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y --no-install-recommends \
		$(sed -n 's/^image  *//p' /src/scripts/packages) \
	&& rm -rf /var/lib/apt/lists/* \
	&& /src/scripts/static-libs /opt/static
WORKDIR /src
COPY . /src
RUN PKG_CONFIG_PATH=/opt/static/lib/pkgconfig \
		cmake -S . -B /build -DCMAKE_BUILD_TYPE=Release -DHOSTVOL_STATIC=ON -DHOSTVOL_TESTS=OFF \
	&& cmake --build /build --parallel "$(nproc)" \
	&& cmake --install /build --strip --prefix /out \
	&& scripts/make-rootfs /out/bin/hostvold /rootfs \
	&& rm -rf /build

FROM scratch
COPY --from=build /rootfs/ /
