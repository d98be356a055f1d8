#!/bin/sh
# The product's own role: no superuser, no bypass of row-level security, owner of its one database.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$APP_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE wordback LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'password';
CREATE DATABASE wordback OWNER wordback ENCODING 'UTF8';
SQL
