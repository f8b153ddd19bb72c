#!/bin/sh
# Asks PostgreSQL over the socket, where the superuser has connections in reserve.
set -eu

psql --host=/tmp --username=postgres --dbname=hilum --no-psqlrc --tuples-only --quiet \
    --command="SELECT 1" >/dev/null

# A renewed certificate is taken without a restart: a reload reads the files again.
if [ -e /etc/hilum/tls/tls.crt ] &&
    [ "$(cat /etc/hilum/tls/tls.crt)" != "$(cat /tmp/certificate-in-use)" ]; then
    kill -HUP 1
    cat /etc/hilum/tls/tls.crt >/tmp/certificate-in-use
fi
