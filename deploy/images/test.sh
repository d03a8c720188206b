#!/usr/bin/env bash
# Builds the images and runs docker-compose.yml with a real Docker engine, from a checkout with umask 077:
#
#   make images-test        or: bash deploy/images/test.sh [VIDEO]
#
# It uses the engine of this machine, or, where none answers, makes one of its own from Debian's packages (root, amd64, about
# 15 GB of disk, no registry): ENGINE=own asks for that. KEEP=1 keeps engine, images and build cache in $IMG_DIR, so that
# the next run takes a few minutes. Projects and images have names of their own: a deployment that runs here is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
CLIP=${1:+$(realpath "$1")}
KEEP=${KEEP:-}
MADE=$([[ -n ${IMG_DIR:-} ]] || mktemp -d)
W=$(realpath -m "${IMG_DIR:-$MADE}")
S=$W/src
PROJECT=posebus-images-test
METRICS_PORT=${METRICS_PORT:-19464} REDIS_PORT=${REDIS_PORT:-16379}
mkdir -p "$W/state" "$W/media"

# ------------------------------------------------------------------------------------------------------------- helpers
T0=$SECONDS LAST=$SECONDS failed=0 count=0
: > "$W/timing"
lap() { printf '%5d s  +%4d s  %s\n' $((SECONDS - T0)) $((SECONDS - LAST)) "$*" | tee -a "$W/timing"; LAST=$SECONDS; }
ok() {  # ok WHAT COMMAND...
  local what=$1; shift
  count=$((count + 1))
  if "$@"; then echo "ok    $what"; else echo "FAIL  $what"; failed=$((failed + 1)); fi
}
within() {  # within SECONDS COMMAND...: until the command succeeds
  local end=$((SECONDS + $1)); shift
  until "$@"; do ((SECONDS < end)) || return 1; sleep 1; done
}
not() { ! "$@"; }
compose() {
  inside env MEDIA_DIR="$W/media" METRICS_PORT="$METRICS_PORT" REDIS_PORT="$REDIS_PORT" WORKER_TARGET="${WORKER_TARGET:-worker}" \
    PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-}" \
    docker compose -p $PROJECT --project-directory "$S" -f "$S/docker-compose.yml" -f "$S/images-test.yml" "$@"
}
container() { echo "$PROJECT-$1"; }
in_stage() { inside docker exec "$(container "$1")" "${@:2}"; }  # in_stage worker-1 PROGRAM...
cli() { compose run --rm -T cli "$@" 2>"$W/state/cli.log"; }
metric() { beside curl -s -m 5 "http://127.0.0.1:$METRICS_PORT/metrics" | awk -v m="$1" 'index($0, m) == 1 {print $NF; exit}' || true; }
tracks() { metric "posebus_camera_frames_total{camera=\"$1\",stage=\"tracks\"}"; }
has_tracks() { awk "BEGIN{exit !($(tracks "$1" | grep . || echo 0) > 3)}"; }
all_have_tracks() { local camera; for camera in "${CAMERAS[@]}"; do has_tracks "$camera" || return 1; done; }
goes_on() { local now; now=$(tracks "$1"); [[ -n $now && $now != "$2" ]]; }  # goes_on CAMERA COUNT_BEFORE
states() { inside docker ps -a --filter "label=com.docker.compose.project=$PROJECT" --format "$1"; }
healthy_are() { [[ $(states '{{.Status}}' | grep -c '(healthy)') == "$1" ]]; }
ended_well_are() { [[ $(states '{{.Status}}' | grep -c '^Exited (0)') == "$1" ]]; }
started_again() { [[ $(inside docker inspect -f '{{.State.Status}}{{.RestartCount}}' "$(container "$1")") == running$2 ]]; }
is_healthy() { in_stage "$1" posebus health "${1%-*}" >/dev/null 2>"$W/state/health.log"; }
signal_stage() { in_stage "$1" sh -c "kill -$2 \$(cat /proc/1/task/1/children)"; }  # what the container's init started
redis_as() {  # redis_as USER COMMAND...: redis-cli in the broker's container
  local password; password=$(sed -nE 's#^POSEBUS_REDIS=rediss://[^:]*:([^@]*)@.*#\1#p' "$S/deploy/secrets/$1.env")
  inside docker exec -e REDISCLI_AUTH="$password" "$(container redis-1)" \
    redis-cli --tls --cacert /usr/local/etc/redis/ca.pem --user "$1" --no-auth-warning "${@:2}"
}
refused() { redis_cli_says "$@" | grep -qE 'NOAUTH|reset|closed|refused|Error'; }
redis_cli_says() { inside docker exec -e REDISCLI_AUTH= "$(container redis-1)" redis-cli "$@" ping 2>&1 || true; }
stream_lengths() { local key; for key in "${CAMERAS[@]/#/tracks:}" events; do redis_as operator xlen "posebus:{0}:$key"; done | tr '\n' ' '; }
has_no_rights() {  # the container's first process: no root, no capabilities, none to be had
  inside docker exec "$(container "$1")" awk '/^Uid:/{u = $2} /^CapEff:/{c = $2} /^NoNewPrivs:/{n = $2} END{exit !(u > 0 && c ~ /^0+$/ && n == 1)}' /proc/1/status
}

finish() {
  local code=$?
  compose --profile cli down -v --timeout 5 >/dev/null 2>&1 || true
  [[ -n $KEEP ]] || { inside docker image rm $PROJECT:stage $PROJECT:worker $PROJECT:worker-cpu >/dev/null 2>&1 || true; }
  [[ $ENGINE != own ]] || remove_engine
  cd /
  [[ -n $KEEP ]] || { rm -rf "$S" "$W/media"; [[ -z $MADE ]] || rm -rf "$MADE"; }
  exit $code
}

# -------------------------------------------------------------------------------------------------------------- engine
ENGINE=${ENGINE:-$(docker info >/dev/null 2>&1 && echo docker || echo own)}
if [[ $ENGINE == own ]]; then
  [[ $(id -u) == 0 ]] || { echo "no Docker engine answers here, and only root can make one" >&2; exit 1; }
  source deploy/images/engine.sh
  trap finish EXIT
  make_engine
  lap "engine and base images: $(chroot "$W/engine" docker --version)"
else
  inside() { "$@"; }
  beside() { "$@"; }
  trap finish EXIT
fi

# ------------------------------------------------------------------------------------------------------------ checkout
rm -rf "$S"; mkdir -p "$S"
git ls-files -z --cached --others --exclude-standard | tar c --null --ignore-failed-read -T - 2>/dev/null |
  (umask 077; tar x --no-same-permissions -C "$S")
(umask 077; cd "$S" && python3 deploy/make_secrets.py >/dev/null)
# An engine of our own has images of these names, but not the registry's.
[[ $ENGINE != own ]] || python3 "$S/deploy/pin_images.py" --unpin
CAMERAS=(demo second)
source_of_second="synthetic:bus, max_fps: 5"
[[ -z $CLIP ]] || { install -m 644 "$CLIP" "$W/media/clip.mp4"; source_of_second="/media/clip.mp4, loop: true, realtime: true, max_fps: 5"; }
sed -i "s#^cameras:#cameras:\n  second: {source: $source_of_second}#" "$S/deploy/posebus.yaml"
NETWORK=$([[ $ENGINE == own ]] && echo 'network: host' || true)
cat > "$S/images-test.yml" <<Y
services:
  ingest: {image: "$PROJECT:stage", build: {$NETWORK}}
  tracker: {image: "$PROJECT:stage"}
  metrics: {image: "$PROJECT:stage"}
  cli: {image: "$PROJECT:stage"}
  worker: {image: "$PROJECT:\${WORKER_TARGET:-worker}", build: {$NETWORK}}
Y

# --------------------------------------------------------------------------------------------------------------- build
if [[ $ENGINE == own ]]; then start_engine building; import_bases; serve_index; fi
compose --progress plain build > "$W/state/build.log" 2>&1 || { tail -30 "$W/state/build.log"; exit 1; }
lap "built: stage and worker"
WORKER_TARGET=worker-cpu compose --progress plain build worker > "$W/state/build-cpu.log" 2>&1 || { tail -30 "$W/state/build-cpu.log"; exit 1; }
lap "built: worker-cpu"
inside docker images --format '      {{.Repository}}:{{.Tag}} {{.Size}}' | grep $PROJECT
ok "the stage image is built once" test "$(grep -c "naming to .*$PROJECT:stage" "$W/state/build.log")" = 1
for target in stage worker worker-cpu; do
  ok "$target: lists what is installed" inside docker run --rm --entrypoint python $PROJECT:$target -c \
    "import json; names = {c['name'] for c in json.load(open('/usr/local/share/sbom/posebus.cdx.json'))['components']}; assert {'posebus', 'redis'} <= names"
  ok "$target: has labels" test "$(inside docker inspect -f '{{index .Config.Labels "org.opencontainers.image.licenses"}}' $PROJECT:$target)" = AGPL-3.0-or-later
done
ok "no syntax image is asked for" not grep -q 'docker/dockerfile' "$W/state/build.log"
if [[ $ENGINE == own ]]; then stop_engine; stop_index; start_engine running; fi

# ----------------------------------------------------------------------------------------------------------------- run
compose up -d --no-build --scale worker=2 > "$W/state/up.log" 2>&1 || { cat "$W/state/up.log"; exit 1; }
lap "up, two workers, empty caches"
ok "tracks of both cameras within 180 s" within 180 all_have_tracks
lap "first tracks"
ok "all healthy within 240 s" within 240 healthy_are 6
lap "healthy"
states '      {{.Names}} {{.Status}}'
echo "      posebus health, 20 times: $(in_stage worker-1 bash -c 'TIMEFORMAT="%R s, processor %U + %S s"; time for i in {1..20}; do posebus health worker >/dev/null; done' 2>&1)"
for name in redis-1 ingest-1 worker-1 tracker-1 metrics-1; do
  ok "$name: no root, no capabilities" has_no_rights $name
  ok "$name: read-only" not inside docker exec -u 0 "$(container $name)" touch /etc/x 2>/dev/null
done

ok "cli top" eval 'cli top --once --json | grep "\"second\"" >/dev/null'
ok "cli watch" eval 'cli watch -n 3 | grep -E "demo|second" >/dev/null'
ok "cli explain" eval 'cli explain second >/dev/null'
ok "cli dead list" eval 'cli dead list >/dev/null'
ok "cli config check" eval 'cli config check /etc/posebus/posebus.yaml >/dev/null'
ok "cli doctor" eval 'cli doctor -c /etc/posebus/posebus.yaml >"$W/state/doctor-cli.log"'
ok "doctor in a worker" eval 'in_stage worker-1 posebus doctor -c /etc/posebus/posebus.yaml >"$W/state/doctor-worker.log" 2>&1'
ok "doctor in a tracker" eval 'in_stage tracker-1 posebus doctor -c /etc/posebus/posebus.yaml >"$W/state/doctor-tracker.log" 2>&1'
ok "metrics: posebus_up" test "$(metric posebus_up)" = 1.0
ok "broker: refused without a password" refused --tls --cacert /usr/local/etc/redis/ca.pem
ok "broker: refused without TLS" refused
lap "commands"

signal_stage tracker-1 STOP
ok "a tracker that hangs is unhealthy within 30 s" within 30 not is_healthy tracker-1
echo "      $(cat "$W/state/health.log")"
signal_stage tracker-1 CONT
ok "and healthy again within 30 s" within 30 is_healthy tracker-1
for name in worker-2 tracker-1 ingest-1; do
  restarts=$(inside docker inspect -f '{{.RestartCount}}' "$(container $name)") before=$(tracks second)
  signal_stage $name KILL
  ok "kill -9 in $name: started again within 15 s" within 15 started_again $name $((restarts + 1))
  ok "kill -9 in $name: tracks go on within 90 s" within 90 goes_on second "$before"
done
lap "a hang and kills"

# A stage that is stopped before its interpreter runs cannot end in order.
ok "all healthy again within 120 s" within 120 healthy_are 6
compose stop ingest worker tracker metrics >/dev/null 2>&1
ok "stages stopped in order, exit code 0" ended_well_are 5
states '{{.Names}} {{.Status}}' > "$W/state/stopped"
before=$(stream_lengths)
compose restart redis >/dev/null 2>&1
ok "broker healthy again within 60 s" within 60 healthy_are 1
after=$(stream_lengths)
echo "      streams before a restart of the broker: $before after: $after"
ok "streams are the same after a restart of the broker" test "$before" = "$after"
lap "stop, restart of the broker"

export WORKER_TARGET=worker-cpu
ok "up again, with the worker without torch" eval 'compose up -d --no-build --wait --wait-timeout 180 > "$W/state/up2.log" 2>&1'
before=$(tracks second)
ok "tracks go on within 60 s" within 60 goes_on second "${before:-0}"
ok "doctor in a worker without torch" eval 'compose exec -T worker posebus doctor -c /etc/posebus/posebus.yaml >"$W/state/doctor-cpu.log" 2>&1'
lap "up again"
compose --profile cli down -v >/dev/null 2>&1
lap "down"
echo "$failed of $count checks failed"
exit $((failed > 0))
