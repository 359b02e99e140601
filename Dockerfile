# The server as a small image: built from the locked dependencies, run without root, asked for its health.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --no-install-recommends -y gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The repository stays outside: `docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) .` names the commit.
ARG COMMIT=unknown
# Some C code writes the time of its compilation into the program: a fixed one, so that the same source makes the same program.
ARG SOURCE_DATE_EPOCH=0
ENV MERIDIAN_COMMIT=$COMMIT SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH
RUN cargo build --release --locked --bin meridian

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --no-install-recommends -y ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home meridian \
 && install -d -o meridian -g meridian /var/lib/meridian
COPY --from=build /src/target/release/meridian /usr/local/bin/meridian
USER meridian
WORKDIR /var/lib/meridian
# Inside a container everybody else is another host. The listener for operators is for the network of the containers only.
ENV MERIDIAN_LISTEN=0.0.0.0:8000 \
    MERIDIAN_ADMIN_LISTEN=0.0.0.0:9090 \
    MERIDIAN_DATA_DIR=/var/lib/meridian
VOLUME /var/lib/meridian
EXPOSE 8000
# Also answers for processes that only run workers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9090 && printf 'GET /api/health HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["meridian"]
CMD ["serve"]
