# syntax=docker/dockerfile:1
# Two images from one file: `stage` for ingest and tracking (small), `worker` for inference.
#
#   docker build --target stage -t posebus:stage .
#   docker build --target worker -t posebus:worker .
#
# torch's default build serves NVIDIA GPUs and CPUs alike and is large. For a smaller CPU-only worker pass PyTorch's
# index of CPU wheels (see its installation page): --build-arg PIP_EXTRA_INDEX_URL=ADDRESS

# The Debian release and Python version that the tests run on.
FROM python:3.11-slim-bookworm AS base
# OpenCV's wheel loads these three.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libxcb1 \
    && rm -rf /var/lib/apt/lists/*
# The cache (exported engines) belongs to the user already, so that a volume mounted there does, too.
RUN useradd --create-home --uid 1000 posebus \
    && install -d -o posebus -g posebus /var/cache/posebus
ENV PYTHONUNBUFFERED=1 \
    POSEBUS_CACHE_DIR=/var/cache/posebus \
    YOLO_CONFIG_DIR=/var/cache/posebus
WORKDIR /opt/posebus
COPY pyproject.toml constraints.txt deploy/requirements.py ./

FROM base AS stage
RUN --mount=type=cache,target=/root/.cache/pip \
    python requirements.py cli ingest tracking jobs > stage.txt \
    && pip install -c constraints.txt -r stage.txt \
    # Without what it requires, torch above all: synthetic cameras show the pictures inside, nothing imports it.
    && pip install --no-deps -c constraints.txt ultralytics
COPY . .
RUN pip install --no-cache-dir --no-deps .
USER posebus
ENTRYPOINT ["posebus"]

FROM base AS worker
ARG PIP_EXTRA_INDEX_URL=""
RUN --mount=type=cache,target=/root/.cache/pip \
    python requirements.py all > all.txt \
    && pip install -c constraints.txt -r all.txt
COPY . .
RUN pip install --no-cache-dir --no-deps .
USER posebus
ENTRYPOINT ["posebus"]
