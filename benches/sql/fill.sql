-- Fills a migrated PostgreSQL database. psql variables: workspaces, tasks, events.
--
-- Everything is computed from numbers, so two runs make the same rows. Times are whole seconds. Person n has the
-- address person<n>@bench.example and the API token mrd_bench_<n>; task n belongs to event n.

SET synchronous_commit = off;
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';

CREATE FUNCTION pg_temp.noise(kind bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, kind) & 9007199254740991) $$;

-- Like version 7: ordered by number, and not to be guessed.
CREATE FUNCTION pg_temp.key(kind bigint, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (lpad(to_hex(1767225600000 + n), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
           || substr(md5(kind || ':' || n), 1, 15))::uuid $$;

CREATE FUNCTION pg_temp.pick(list text[], kind bigint, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT list[1 + pg_temp.noise(kind, n) % array_length(list, 1)] $$;

INSERT INTO users (id, name, email, is_admin, version, created_at, updated_at)
SELECT pg_temp.key(1, n),
       pg_temp.pick('{Ada,Grace,Alan,Edsger,Barbara,Donald,Radia,Leslie,Frances,Niklaus}', 11, n) || ' '
         || pg_temp.pick('{Moreno,Novak,Okafor,Petrov,Quist,Rossi,Sato,Tanaka,Ueda,Varga}', 12, n) || ' ' || n,
       'person' || n || '@bench.example', false, 1, '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces * 10 - 1) n;

INSERT INTO user_preferences (user_id, time_zone, locale, week_starts_on, working_hours, default_task_duration_minutes,
  default_focus_minutes, buffer_minutes, max_daily_task_minutes, peak_energy, version, created_at, updated_at)
SELECT pg_temp.key(1, n), 'Europe/Berlin', 'en', 'monday', '[]', 30, 25, 5, 360, 'morning', 1, '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces * 10 - 1) n;

INSERT INTO api_tokens (id, user_id, name, prefix, token_hash, scopes, last_used_at, created_at, updated_at)
SELECT pg_temp.key(2, n), pg_temp.key(1, n), 'benchmark', 'mrd_benc', sha256(convert_to('mrd_bench_' || n, 'UTF8')),
       '["write"]', now(), '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces * 10 - 1) n;

INSERT INTO workspaces (id, name, slug, time_zone, type, version, created_at, updated_at)
SELECT pg_temp.key(3, n), 'Workspace ' || n, 'workspace-' || n, 'Europe/Berlin', 'team', 1, '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces - 1) n;

INSERT INTO workspace_counters (workspace_id, change_seq, audit_seq, audit_hash, created_at, updated_at)
SELECT pg_temp.key(3, n), 0, 0, '\x', '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces - 1) n;

-- Ten people live in each workspace, and each of them is a guest in two others.
INSERT INTO memberships (id, workspace_id, user_id, role, joined_at, version, created_at, updated_at)
SELECT pg_temp.key(4, n * 3 + k), pg_temp.key(3, w), pg_temp.key(1, n),
       CASE WHEN n < :workspaces THEN 'owner' ELSE 'member' END, '2026-01-01', 1, '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces * 10 - 1) n,
     LATERAL (SELECT DISTINCT ON (w) w, k FROM (VALUES (n % :workspaces, 0), ((n * 7 + 1) % :workspaces, 1),
                                      ((n * 13 + 5) % :workspaces, 2)) AS homes (w, k) ORDER BY w, k) homes;

INSERT INTO calendars (id, workspace_id, name, color, time_zone, is_default, is_read_only, counts_as_busy, is_mirrored,
  version, created_at, updated_at)
SELECT pg_temp.key(5, w * 5 + k), pg_temp.key(3, w), pg_temp.pick('{Team,Product,Support,Travel,Plan}', 51, k) || ' ' || k,
       '#' || lpad(to_hex(pg_temp.noise(52, k) % 16777216), 6, '0'), 'Europe/Berlin', k = 0, false, true, false,
       1, '2026-01-01', '2026-01-01'
FROM generate_series(0, :workspaces - 1) w, generate_series(0, 4) k;

-- One statement makes a row's place, person and times; the next turns them into a row.
CREATE TEMP VIEW task_plan AS
SELECT n, n % :workspaces AS w, pg_temp.noise(61, n) AS r,
       timestamptz '2026-01-01' + n * (interval '150 days' / :tasks) AS made
FROM generate_series(0, :tasks - 1) n;

INSERT INTO tasks (id, workspace_id, version, title, description, status, priority, energy, duration_minutes,
  completed_minutes, position, due_at, completed_at, is_hard_deadline, is_auto_scheduled, labels, assignee_id, created_by,
  created_at, updated_at)
SELECT pg_temp.key(6, n), pg_temp.key(3, w), 1,
       pg_temp.pick('{Write,Review,Plan,Prepare,Call about,Fix,Order,Translate}', 62, n) || ' "'
         || pg_temp.pick('{the budget,the offer,the trip,the release,the report,the contract}', 63, n) || '" ' || n,
       CASE WHEN r % 3 = 0 THEN repeat('What it is about, in a few words. ', (1 + r % 5)::int) END,
       pg_temp.pick('{todo,todo,todo,in_progress,done}', 64, n), (r % 4)::smallint,
       pg_temp.pick('{low,medium,high}', 65, n), (15 * (1 + r % 16))::int, 0, 0,
       CASE WHEN r % 10 < 9 THEN timestamptz '2026-12-01' + (pg_temp.noise(66, n) % 15552000) * interval '1 second' END,
       NULL, r % 7 = 0, r % 5 <> 0,
       CASE r % 4 WHEN 0 THEN '[]'::jsonb
         ELSE (SELECT jsonb_agg(DISTINCT pg_temp.pick('{home,office,errand,deep work,waiting,phone,money,health}', 70 + k, n))
               FROM generate_series(1, r % 4) k) END,
       CASE WHEN r % 20 < 19 THEN pg_temp.key(1, w + :workspaces * (r % 10)) END, pg_temp.key(1, w + :workspaces * (r % 3)),
       date_trunc('second', made), date_trunc('second', made)
FROM task_plan;

INSERT INTO task_labels (workspace_id, label, task_id, created_at, updated_at)
SELECT workspace_id, label, id, created_at, updated_at
FROM tasks, jsonb_array_elements_text(labels) label;

INSERT INTO calendar_events (id, workspace_id, calendar_id, version, sequence, uid, title, time_zone, location, rrule, kind,
  start_local, end_local, start_zone, end_zone, start_utc, end_utc, status, transparency, visibility, rdates, exdates,
  is_recurring, task_id, created_by, created_at, updated_at)
SELECT pg_temp.key(7, n), pg_temp.key(3, w), pg_temp.key(5, w * 5 + r % 5), 1, 0, n || '@bench.example',
       pg_temp.pick('{Standup,Review,Interview,Workshop,Lunch,"One to one",Demo}', 82, n) || ' ' || n, 'UTC',
       CASE WHEN r % 2 = 0 THEN 'Room ' || r % 40 END, CASE WHEN r % 100 = 0 THEN 'FREQ=WEEKLY' END, 'timed',
       start AT TIME ZONE 'UTC', (start + length) AT TIME ZONE 'UTC', 'UTC', 'UTC', start, start + length,
       CASE WHEN r % 9 = 0 THEN 'tentative' ELSE 'confirmed' END, 'busy', 'default', '[]', '[]', r % 100 = 0,
       CASE WHEN n < :tasks THEN pg_temp.key(6, n) END, pg_temp.key(1, w + :workspaces * (r % 10)), '2026-01-01', '2026-01-01'
FROM (SELECT n, n % :workspaces AS w, pg_temp.noise(81, n) AS r,
             timestamptz '2026-06-01' + (pg_temp.noise(83, n) % 26208) * interval '10 minutes' AS start,
             (1 + pg_temp.noise(84, n) % 8) * interval '15 minutes' AS length
      FROM generate_series(0, :events - 1) n) plan;

SET session_replication_role = origin;
VACUUM (ANALYZE);
CHECKPOINT;
