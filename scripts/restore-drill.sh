#!/bin/sh
# Rehearses a restore of your own newest backup, beside the platform: into an empty database and a
# folder. Nothing of the platform is touched. Prints what came back, how long it took, and how old
# the backup is, which is what an accident now would lose.
#
#     HILUM_BACKUP_STORE_URL=s3://... sh scripts/restore-drill.sh DATABASE_URL [FOLDER]
#
#     DATABASE_URL   an empty database that may be filled: of the same kind as the platform's
#     FOLDER         where the films go meanwhile; a fresh one is made and removed if left out
#
# Needs `hilum`, and for PostgreSQL pg_restore. Exit code 0: everything came back as it was.
set -eu

database="${1:?usage: sh restore-drill.sh DATABASE_URL [FOLDER]}"
: "${HILUM_BACKUP_STORE_URL:?names the backup store}"
if [ $# -gt 1 ]; then
  folder="$2"
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
folder=$(cd "$folder" && pwd)

begun=$(date +%s)
hilum backup verify
hilum backup restore --deep --database-url "$database" --object-store-url "file://$folder"
hilum audit verify --database-url "$database"
ended=$(date +%s)

made=$(hilum backup list --json | sed -n 's/^ *"made_at": "\(.*\)",\{0,1\}$/\1/p' | tail -n 1)
echo "the backup was made at $made; the drill took $((ended - begun)) s and ended at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
