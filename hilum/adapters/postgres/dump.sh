#!/bin/sh
# Dumps Hilum's database into a file, and beside it, in FILE.facts, what it held in that moment.
# For a container that has psql and pg_dump and nothing of Hilum: `hilum backup script` prints it.
#
#     HILUM_DATABASE_URL=postgresql+psycopg2://... sh dump.sh /backup/database.dump
set -eu
HILUM_DUMP="${1:?usage: sh dump.sh FILE}"
HILUM_DUMP_FROM="postgresql${HILUM_DATABASE_URL#postgresql+psycopg2}"
export HILUM_DUMP HILUM_DUMP_FROM
rm -f "$HILUM_DUMP" "$HILUM_DUMP.part" "$HILUM_DUMP.facts"
# One transaction reads the facts and lends its snapshot to pg_dump: both show the same moment.
psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 \
    --dbname "$HILUM_DUMP_FROM" <<'SQL'
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
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
