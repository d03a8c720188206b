#!/bin/sh
# Follow one camera with redis-cli alone:
#
#     sh examples/subscribing/redis_cli.sh [redis://HOST:6379 [CAMERA]]
#
# Each entry has its JSON in the field `data`, on one line; `jq` would read more of it than sed does here.
url=${1:-redis://127.0.0.1:6399}
camera=${2:-door}
events="posebus:{0}:events"
tracks="posebus:{0}:tracks:$camera"
after_event=0
after_track=0
while true; do
    entries=$(redis-cli -u "$url" --raw XREAD COUNT 100 BLOCK 1000 STREAMS "$events" "$tracks" "$after_event" "$after_track") ||
        exit 1
    stream=
    while IFS= read -r line; do
        case $line in
            "$events" | "$tracks") stream=$line ;;
            [0-9]*-[0-9]*)
                if [ "$stream" = "$events" ]; then after_event=$line; else after_track=$line; fi
                ;;
            '{"specversion"'*'"camera":"'"$camera"'"'*)
                printf '%s\n' "$line" | sed 's/^.*"id":"\([^"]*\)","type":"\([^"]*\)".*$/event \1 \2/'
                ;;
            '{"schema_version"'*)
                printf '%s\n' "$line" |
                    sed 's/^{[^{]*"camera":"\([^"]*\)","epoch":\([0-9]*\),"seq":\([0-9]*\),.*$/tracks \1\/\2\/\3/'
                ;;
        esac
    done <<END
$entries
END
done
