-- What PostGraphile needs beside the tables: the week as a function, and an insert that tells subscribers.

CREATE SCHEMA postgraphile;

CREATE FUNCTION postgraphile.week_events(workspace uuid, start_at timestamptz, end_at timestamptz)
RETURNS SETOF calendar_events LANGUAGE sql STABLE AS $$
  SELECT * FROM calendar_events WHERE workspace_id = workspace AND NOT is_recurring AND start_utc < end_at AND end_utc > start_at
  UNION ALL
  SELECT * FROM calendar_events WHERE workspace_id = workspace AND is_recurring AND start_utc < end_at
    AND (series_end_utc IS NULL OR series_end_utc > start_at)
  ORDER BY start_utc, id
$$;

CREATE FUNCTION postgraphile.announce_task(id uuid, workspace uuid, title text, priority smallint, due_at timestamptz,
  labels text[], person uuid)
RETURNS tasks LANGUAGE plpgsql VOLATILE AS $$
DECLARE stored tasks;
BEGIN
  INSERT INTO tasks (id, workspace_id, version, title, status, priority, energy, duration_minutes, completed_minutes, position,
    due_at, is_hard_deadline, is_auto_scheduled, labels, assignee_id, created_by, created_at, updated_at)
  VALUES (id, workspace, 1, title, 'todo', priority, 'medium', 30, 0, 0, due_at, false, true, to_jsonb(labels), person, person,
    now(), now()) RETURNING * INTO stored;
  PERFORM pg_notify('task:' || workspace, json_build_object('id', id)::text);
  RETURN stored;
END
$$;
