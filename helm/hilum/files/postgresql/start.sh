#!/bin/sh
# Starts PostgreSQL. A fresh volume gets a cluster with the role and the database "hilum"; at every
# start the role gets the password of the Secret (ROLE_PASSWORD). Both happen in single-user
# mode, before anybody can connect. The superuser "postgres" has no password: it comes in over the
# socket inside the container only (kubectl exec ... psql -h /tmp -U postgres).
set -eu
umask 077

configuration=/etc/hilum/postgresql/postgresql.conf

# Runs the commands on its input, one a line. It ends well whatever they did, so its log is read. A failed
# statement is not logged, since it may hold the password.
alone() {
    log=$(postgres --single -D "$1" -c config_file="$configuration" \
        -c log_min_error_statement=panic -c log_statement=none -j postgres 2>&1) ||
        log="$log FATAL: $?"
    case "$log" in
    *ERROR:* | *FATAL:* | *PANIC:*)
        printf '%s\n' "$log" >&2
        exit 1
        ;;
    esac
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # In a draft that is renamed once it is whole: a start that was cut off is begun again.
    draft=$PGDATA.new
    rm -rf "$draft"
    initdb --pgdata="$draft" --username=postgres --encoding=UTF8 --locale=C --data-checksums \
        --auth-local=trust --auth-host=scram-sha-256
    printf 'CREATE ROLE hilum LOGIN;\n\nCREATE DATABASE hilum OWNER hilum;\n\n' | alone "$draft"
    mv "$draft" "$PGDATA"
fi

# Kubernetes opens a volume's files to the group; PostgreSQL refuses a folder that others can write.
chmod 0700 "$PGDATA"

# A server that was killed leaves a lock with its process id, which in a container is that of this script:
# PostgreSQL would take it for another server.
if [ "$(head -n 1 "$PGDATA/postmaster.pid" 2>/dev/null)" = "$$" ]; then
    rm "$PGDATA/postmaster.pid"
fi

password=$(printf '%s' "$ROLE_PASSWORD" | sed "s/'/''/g")
printf "ALTER ROLE hilum PASSWORD '%s';\n\n" "$password" | alone "$PGDATA"
unset ROLE_PASSWORD password

if [ -e /etc/hilum/tls/tls.crt ]; then
    cat /etc/hilum/tls/tls.crt >/tmp/certificate-in-use
fi
exec postgres -D "$PGDATA" -c config_file="$configuration"
