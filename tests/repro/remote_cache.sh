#!/bin/bash
# tests/repro/remote_cache.sh — NGINX TARGET...: with an HTTP cache server on loopback, a second build compiles nothing.
. "$(dirname "$(readlink -f "$0")")/copy.sh"

nginx=$(readlink -f "$1")
shift
[ $# -gt 0 ] || set -- //tests/toolchain:hello_static
targets=("$@")

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$scratch/nginx/store" "$scratch/nginx/tmp" "$scratch/nginx/logs"
cat >"$scratch/nginx/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $scratch/nginx/nginx.pid;
error_log $scratch/nginx/error.log;
$([ "$(id -u)" != 0 ] || echo "user root;")
events {}
http {
    access_log $scratch/nginx/access.log;
    client_body_temp_path $scratch/nginx/tmp;
    proxy_temp_path $scratch/nginx/tmp/p;
    fastcgi_temp_path $scratch/nginx/tmp/f;
    uwsgi_temp_path $scratch/nginx/tmp/u;
    scgi_temp_path $scratch/nginx/tmp/s;
    server {
        listen 127.0.0.1:$port;
        location / {
            root $scratch/nginx/store;
            dav_methods PUT;
            create_full_put_path on;
            client_max_body_size 1G;
        }
    }
}
CONF
"$nginx" -p "$scratch/nginx" -c "$scratch/nginx/nginx.conf" &
server=$!
trap 'kill $server 2>/dev/null; clean_up' EXIT
for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 $server 2>/dev/null || fail "nginx did not start: $(cat "$scratch/nginx/error.log")"
    sleep 0.1
done

copy_workspace "$scratch/one"
bazel_in "$scratch/one" "$scratch/base1" build --remote_cache="http://127.0.0.1:$port" "${targets[@]}" 2>&1 | tee "$scratch/first"
grep -q ' local\| linux-sandbox\| processwrapper-sandbox' "$scratch/first" || fail "the first build ran no action: nothing is proven"
bazel_in "$scratch/one" "$scratch/base2" build --remote_cache="http://127.0.0.1:$port" "${targets[@]}" 2>&1 | tee "$scratch/second"
grep -q 'remote cache hit' "$scratch/second" || fail "the second build took nothing from the cache"
! grep 'processes:' "$scratch/second" | grep -q ' local\|sandbox' || fail "the second build executed actions: $(grep processes: "$scratch/second")"
echo "the second build executed no action: $(grep -o '[0-9]* remote cache hit' "$scratch/second")"
