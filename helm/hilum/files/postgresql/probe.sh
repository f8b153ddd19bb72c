#!/bin/sh
# probe.sh ready|alive: asks PostgreSQL over the socket, where the superuser has connections in reserve.
# One that starts, or recovers after a crash of one of its processes, is alive, but not ready.
set -eu

if ! answer=$(psql --host=/tmp --username=postgres --dbname=hilum --no-psqlrc --tuples-only --quiet \
    --command="SELECT 1" 2>&1); then
    case "$1: $answer" in
    "alive: "*"the database system is "* | "alive: "*"not yet accepting connections"*) exit 0 ;;
    esac
    echo "$answer"
    exit 1
fi

# A renewed certificate is taken without a restart: a reload reads the files again.
if [ "$1" = alive ] && [ -e /etc/hilum/tls/tls.crt ] &&
    [ "$(cat /etc/hilum/tls/tls.crt)" != "$(cat /tmp/certificate-in-use)" ]; then
    kill -HUP 1
    cat /etc/hilum/tls/tls.crt >/tmp/certificate-in-use
fi
