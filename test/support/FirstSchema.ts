/**
 * Databases of accounts as they were before there were tokens: what a server of that time has written, with Alice's
 * account in it.
 */

/** The key that Alice's password is sealed with, in hexadecimal digits. */
export const key = "0f".repeat(32)

const check = "09d09d844563a035d4c8647d663db30a3601104838e506330ad4b5f64d8c88ff6d59b9c0e4d551"
const password = "581724b38066688bad43198e842bf5e37aa56fe28b6fa42423304911342aea91a3ca22c6e623"

const rows = (bytes: (digits: string) => string): ReadonlyArray<string> => [
  "INSERT INTO msnp_migrations (migration_id, name) VALUES (1, 'accounts')",
  `INSERT INTO msnp_seal VALUES ('check', ${bytes(check)})`,
  `INSERT INTO msnp_accounts VALUES ('alice@hotmail.com', 'alice@hotmail.com', ${bytes(password)}, 'My%20Screen%20Name', 'Verified', 'Enabled')`,
]

/** In SQLite. */
export const sqlite: ReadonlyArray<string> = [
  `CREATE TABLE "msnp_migrations" (
    migration_id integer PRIMARY KEY NOT NULL,
    created_at datetime NOT NULL DEFAULT current_timestamp,
    name VARCHAR(255) NOT NULL
  )`,
  "CREATE TABLE msnp_seal (name text PRIMARY KEY, sealed blob NOT NULL)",
  `CREATE TABLE msnp_accounts (
    name text PRIMARY KEY,
    account text NOT NULL,
    password blob NOT NULL,
    friendly_name text NOT NULL,
    verification text NOT NULL,
    standing text NOT NULL
  )`,
  "CREATE TABLE msnp_barred (id integer PRIMARY KEY AUTOINCREMENT, account text NOT NULL, barred_at bigint NOT NULL)",
  ...rows((digits) => `x'${digits}'`),
]

/** In PostgreSQL. */
export const postgres: ReadonlyArray<string> = [
  `CREATE TABLE "msnp_migrations" (
    migration_id integer primary key,
    created_at timestamp with time zone not null default now(),
    name text not null
  )`,
  `CREATE TABLE msnp_seal (name text COLLATE "C" PRIMARY KEY, sealed bytea NOT NULL)`,
  `CREATE TABLE msnp_accounts (
    name text COLLATE "C" PRIMARY KEY,
    account text NOT NULL,
    password bytea NOT NULL,
    friendly_name text NOT NULL,
    verification text NOT NULL,
    standing text NOT NULL
  )`,
  `CREATE TABLE msnp_barred (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account text NOT NULL, barred_at bigint NOT NULL
  )`,
  ...rows((digits) => `'\\x${digits}'::bytea`),
]
