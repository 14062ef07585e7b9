# The image of the operator:
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) --tag noderemoval:0.1.0 .
# test/image/build makes the same without Docker and without a registry; it takes what the image says of itself from the
# last stage here.

# To pin it to a digest: docker buildx imagetools inspect debian:12, then --build-arg BASE=debian:12@sha256:...
ARG BASE=debian:12

FROM ${BASE} AS build
COPY test/install-packages /src/test/install-packages
RUN /src/test/install-packages --to-build
COPY . /src
WORKDIR /src
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release --target noderemoval
RUN python3 test/image/rootfs.py build/release /rootfs

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
COPY --from=build /rootfs/ /
USER 65532:65532
ENV PATH=/usr/bin
ENTRYPOINT ["/usr/bin/noderemoval"]
LABEL org.opencontainers.image.title="noderemoval" \
      org.opencontainers.image.description="Removes nodes from a Kubernetes cluster safely" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="noderemoval.dev"
