#!/bin/sh
# Hands the password of the database on. libpq reads it from a file, named by PGPASSFILE, that is
# closed to all but its owner, which a mounted secret need not be.
set -eu
secret=/run/secrets/database_password
if [ -r "$secret" ]; then
  (umask 077 && printf '*:*:*:*:%s\n' "$(cat "$secret")" >"$PGPASSFILE")
fi
exec "$@"
