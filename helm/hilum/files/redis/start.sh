#!/bin/sh
# Starts Redis. The password comes by the environment (REDISCLI_AUTH, which redis-cli reads too) and goes
# into a file that this user alone can read: arguments are visible to whoever sees the processes.
set -eu
umask 077

configuration=/tmp/redis.conf
password=$(printf '%s' "$REDISCLI_AUTH" | sed 's/[\\"]/\\&/g')
{
    cat /etc/hilum/redis/redis.conf
    printf 'requirepass "%s"\n' "$password"
} >"$configuration"
if [ -e /etc/hilum/tls/tls.crt ]; then
    cat /etc/hilum/tls/tls.crt >/tmp/certificate-in-use
fi
exec redis-server "$configuration"
