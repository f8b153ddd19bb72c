#!/bin/sh
# probe.sh ready|alive: asks Redis over its own port. Still loading its file it is alive, but not ready.
set -eu

ask() {
    # The pod asks itself: the name in the certificate is not the one it uses, so it is not checked.
    if [ -e /etc/hilum/tls/tls.crt ]; then
        redis-cli -h 127.0.0.1 --tls --insecure "$@"
    else
        redis-cli -h 127.0.0.1 "$@"
    fi
}

answer=$(ask PING)
case "$1: $answer" in
"ready: PONG" | "alive: PONG") ;;
"alive: LOADING"*) exit 0 ;;
*)
    echo "Redis answers: $answer"
    exit 1
    ;;
esac

# A renewed certificate is taken without a restart: setting the name reads the files again.
if [ "$1" = alive ] && [ -e /etc/hilum/tls/tls.crt ] &&
    [ "$(cat /etc/hilum/tls/tls.crt)" != "$(cat /tmp/certificate-in-use)" ]; then
    ask CONFIG SET tls-cert-file /etc/hilum/tls/tls.crt >/dev/null
    cat /etc/hilum/tls/tls.crt >/tmp/certificate-in-use
fi
