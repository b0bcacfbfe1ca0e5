#!/bin/sh
# Hands the password of the database on. libpq reads it from a file, named by PGPASSFILE, that is
# closed to all but its owner, which a mounted secret need not be.
set -eu
secret=/run/secrets/database_password
if [ -e "$secret" ]; then
  password=$(cat "$secret")  # one that may not be read ends it here, in words
  (umask 077 && printf '*:*:*:*:%s\n' "$password" >"$PGPASSFILE")
fi
exec "$@"
