# A Docker engine of its own for deploy/images/test.sh, where no engine runs or no registry can be reached: engine and
# base images come from Debian's packages, as this machine's apt and pip are configured. It needs root and Debian.
#
# Everything runs in namespaces of its own. While images are built, the engine has no bridge, and builds use this machine's
# network; while they run, the engine lives in a network namespace with nothing but loopback and its own bridges.
#
# It reads $W (folder) and $S (the checkout that is tried), and defines `inside` and `beside`.

E=$W/engine
INDEX_PORT=8879
BASE=python:3.11-slim-bookworm
BROKER=redis:7.4-bookworm

inside() {  # a program of the engine's system, such as docker
  nsenter -t "$(cat "$W/state/pid")" -m -p -n -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
beside() { nsenter -t "$(cat "$W/state/pid")" -n "$@"; }  # a program of this machine, in the engine's network

start_engine() {  # start_engine building|running
  local net=() flags=() outer pid=
  if [[ $1 == running ]]; then net=(--net); else flags=(--bridge=none --iptables=false --ip6tables=false); fi
  cat > "$W/state/init" <<INIT
set -e
mount --make-rprivate /
mount --bind $E $E
mount -t proc proc $E/proc
mount --rbind /sys $E/sys
mount --rbind /dev $E/dev
mount -t tmpfs tmpfs $E/run
mkdir -p $E/var/lib/docker $E$W $E/.old
mount --bind $W/data $E/var/lib/docker
mount --bind $W $E$W
cd $E; pivot_root . .old; umount -l /.old
[ $1 = building ] || ip link set lo up
exec dockerd --data-root /var/lib/docker --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs ${flags[*]:-} >/var/log/dockerd.log 2>&1
INIT
  cp /etc/resolv.conf "$E/etc/resolv.conf"
  setsid unshare --mount --pid --fork --kill-child "${net[@]}" bash "$W/state/init" </dev/null >"$W/state/unshare.log" 2>&1 &
  outer=$!
  for _ in $(seq 300); do
    pid=$(pgrep -P "$outer" || true); echo "$pid" > "$W/state/pid"
    [[ -n $pid ]] && inside docker version >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  cat "$W/state/unshare.log"; tail -20 "$E/var/log/dockerd.log"; return 1
}

stop_engine() {
  local pid
  pid=$(cat "$W/state/pid" 2>/dev/null || true)
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$W/state/pid"
}

remove_engine() {
  stop_engine
  stop_index
  rmdir /sys/fs/cgroup/*/docker /sys/fs/cgroup/*/docker/buildkit 2>/dev/null || true
  [[ -n $KEEP ]] || rm -rf "$E" "$W/data" "$W/base.tar" "$W/redis.tar"
}

stop_index() {
  [[ ! -f $W/state/index.pid ]] || kill "$(cat "$W/state/index.pid")" 2>/dev/null || true
  rm -f "$W/state/index.pid"
}

make_engine() {  # engine and base images; what $W has of an earlier call is used again
  local mirror mm trees=() tree
  mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || awk '$1 == "deb"{print $2; exit}' /etc/apt/sources.list)
  export DEBIAN_FRONTEND=noninteractive
  command -v mmdebstrap >/dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null 2>&1; }
  mkdir -p "$W/state/etc" "$W/data"
  suite() { printf 'deb %s %s main\ndeb %s %s-updates main\ndeb %s-security %s-security main\n' "$mirror" "$1" "$mirror" "$1" "$mirror" "$1"; }
  mm=(mmdebstrap --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"'
    --dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/doc/*)
  write_pip_configuration
  write_entry_point
  [[ -x $E/usr/sbin/dockerd ]] || { rm -rf "$E"; suite trixie | "${mm[@]}" \
    --include=docker.io,docker-cli,docker-compose,docker-buildx,iptables,tini,iproute2,procps,mount,ca-certificates trixie "$E" - 2>"$W/state/engine.log"; } & trees=($!)
  [[ -f $W/base.tar ]] || suite bookworm | "${mm[@]}" --include=ca-certificates,python3,python3-pip,python-is-python3 \
    --customize-hook='rm -f "$1"/usr/lib/python3.*/EXTERNALLY-MANAGED' \
    --customize-hook="cp $W/state/etc/pip.conf \"\$1\"/etc/pip.conf; cp $W/state/etc/apt.conf \"\$1\"/etc/apt/apt.conf.d/images-test; cp /etc/ssl/certs/ca-certificates.crt \"\$1\"/etc/ssl/certs/" \
    bookworm "$W/base.tar" - 2>"$W/state/base.log" & trees+=($!)
  [[ -f $W/redis.tar ]] || suite bookworm | "${mm[@]}" --include=redis-server \
    --customize-hook="mkdir -p \"\$1\"/data; chroot \"\$1\" chown redis /data" bookworm "$W/redis.tar" - 2>"$W/state/redis.log" & trees+=($!)
  for tree in "${trees[@]}"; do wait "$tree"; done
}

write_pip_configuration() {
  # Indexes that are folders of this machine are served on loopback while images are built.
  local index indexes
  indexes=$(pip config get global.extra-index-url 2>/dev/null || true)
  WHEELS=$(tr ' ' '\n' <<<"$indexes" | sed -n 's#^file://##p' | python3 -c 'import os, sys; p = sys.stdin.read().split(); print(os.path.commonpath([os.path.dirname(i) for i in p]) if p else "")')
  { printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ntimeout = 180\nextra-index-url ='
    for index in $indexes; do
      case $index in file://*) printf ' %s' "http://127.0.0.1:$INDEX_PORT${index#file://"$WHEELS"}";; *) printf ' %s' "$index";; esac
    done; echo; } > "$W/state/etc/pip.conf"
  cat > "$W/state/etc/apt.conf" <<'P'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";
P
}

write_entry_point() {
  # It asks for all that the entry points of Redis 7 and 8 and of Valkey ask for: a look at every file, and a server
  # without any rights whose files nobody else may read.
  cat > "$W/state/etc/docker-entrypoint.sh" <<'P'
#!/bin/sh
set -e
case $1 in -*|*.conf) set -- redis-server "$@";; esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --clear-groups --nnp --inh-caps=-all --bounding-set=-all "$0" "$@"
fi
umask 0077
exec "$@"
P
}

import_bases() {
  inside docker image inspect $BASE >/dev/null 2>&1 ||
    inside docker import --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' "$W/base.tar" $BASE >/dev/null
  inside docker image inspect imported-redis >/dev/null 2>&1 || inside docker import "$W/redis.tar" imported-redis >/dev/null
  mkdir -p "$W/state/redis"
  install -m 755 "$W/state/etc/docker-entrypoint.sh" "$W/state/redis/"
  printf 'FROM imported-redis\nCOPY docker-entrypoint.sh /usr/local/bin/\nVOLUME /data\nWORKDIR /data\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["redis-server"]\n' > "$W/state/redis/Dockerfile"
  inside docker build -q -t $BROKER "$W/state/redis" >/dev/null
}

serve_index() {
  [[ -n $WHEELS ]] || return 0
  setsid python3 -m http.server --bind 127.0.0.1 --directory "$WHEELS" $INDEX_PORT >"$W/state/index.log" 2>&1 &
  echo $! > "$W/state/index.pid"
}
