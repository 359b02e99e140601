#!/bin/sh
# Makes the login, the roles and the database of Meridian in a new PostgreSQL, with the password in POSTGRES_PASSWORD.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE meridian LOGIN PASSWORD :'password';
CREATE ROLE meridian_app NOLOGIN;
CREATE ROLE meridian_system NOLOGIN;
GRANT meridian_app, meridian_system TO meridian;
CREATE DATABASE meridian OWNER meridian;
SQL
