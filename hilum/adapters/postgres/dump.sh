#!/bin/sh
# Dumps Hilum's database into a file, and beside it, in FILE.facts, what it held in that moment.
# For a container that has psql and pg_dump and nothing of Hilum: `hilum backup script` prints it.
#
#     HILUM_DATABASE_URL=postgresql://... sh dump.sh /backup/database.dump
set -eu
HILUM_DUMP="${1:?usage: sh dump.sh FILE}"
# libpq does not know the driver that the address of releases before 0.3 names.
HILUM_DUMP_FROM="postgresql://${HILUM_DATABASE_URL#*://}"
export HILUM_DUMP HILUM_DUMP_FROM
rm -f "$HILUM_DUMP" "$HILUM_DUMP.part" "$HILUM_DUMP.facts"
# One transaction reads the facts and lends its snapshot to pg_dump: both show the same moment.
psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
    --dbname "$HILUM_DUMP_FROM" <<'SQL'
-- pg_dump changes settings of its session, which a pooler in transaction mode hands to others.
SELECT pg_backend_pid() AS session \gset
\setenv HILUM_SESSION :session
\set shared `psql --no-psqlrc --no-align --tuples-only --dbname "$HILUM_DUMP_FROM" --command "SELECT pg_backend_pid() = $HILUM_SESSION"`
\if :shared
\warn 'a pooler in transaction mode answers at this address: give the address of PostgreSQL itself'
\quit
\endif
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv HILUM_SNAPSHOT :snapshot
\! pg_dump --format=custom --no-owner --no-privileges --lock-wait-timeout=60s --snapshot="$HILUM_SNAPSHOT" --file="$HILUM_DUMP.part" --dbname="$HILUM_DUMP_FROM" && mv "$HILUM_DUMP.part" "$HILUM_DUMP"
\o | cat > "$HILUM_DUMP.facts"
@FACTS@;
\o
COMMIT;
SQL
test -s "$HILUM_DUMP" || { echo "the dump broke off, see above" >&2; exit 1; }
test -s "$HILUM_DUMP.facts" || { echo "the facts of the dump were not read" >&2; exit 1; }
