// Mercurius with JIT and loaders over `pg` with prepared statements: the same questions on the same data, as its guides show it.
//
// node mercurius.mjs PORT POSTGRES_URL

import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";
import { randomUUID } from "node:crypto";

const [port, connectionString] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 10 });
// A named statement is prepared once on each connection.
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const schema = `
  type User { id: ID! name: String! }
  type Calendar { id: ID! name: String! color: String! }
  type Task {
    id: ID! version: Int! title: String! status: String! priority: Int! energy: String! durationMinutes: Int! dueAt: String
    isAutoScheduled: Boolean! labels: [String!]! createdAt: String! updatedAt: String! assignee: User createdBy: User
  }
  type CalendarEvent {
    id: ID! title: String! start: String! end: String! isAllDay: Boolean! status: String! location: String
    calendar: Calendar! task: Task
  }
  type PageInfo { hasNextPage: Boolean! }
  type TaskConnection { nodes: [Task!]! pageInfo: PageInfo! }
  type CalendarEventConnection { nodes: [CalendarEvent!]! pageInfo: PageInfo! }
  input DateTimeRangeInput { start: String! end: String! }
  input CalendarEventFilter { range: DateTimeRangeInput }
  type Workspace {
    tasks(first: Int!): TaskConnection!
    calendarEvents(first: Int!, filter: CalendarEventFilter): CalendarEventConnection!
  }
  input CreateTaskInput { workspaceId: ID! title: String! priority: Int! dueAt: String! labels: [String!]! }
  type UserError { code: String! message: String! }
  type CreateTaskPayload { task: Task userErrors: [UserError!]! }
  type TaskChange { action: String! taskId: ID! task: Task }
  type Query { task(id: ID!): Task workspace(id: ID!): Workspace }
  type Mutation { createTask(input: CreateTaskInput!): CreateTaskPayload! }
  type Subscription { taskChanged(workspaceId: ID!): TaskChange! }
`;

const TASK = `id, version, title, status, priority, energy, duration_minutes AS "durationMinutes", due_at AS "dueAt",
  is_auto_scheduled AS "isAutoScheduled", labels, created_at AS "createdAt", updated_at AS "updatedAt",
  assignee_id AS "assigneeId", created_by AS "createdById"`;
const EVENT = `id, title, start_utc AS "start", end_utc AS "end", kind = 'all_day' AS "isAllDay", status, location,
  calendar_id AS "calendarId", task_id AS "taskId"`;
const PAGE = `SELECT ${EVENT} FROM calendar_events WHERE workspace_id = $1 ORDER BY start_utc, id LIMIT $2`;
const WEEK = `SELECT ${EVENT} FROM (
    SELECT * FROM calendar_events WHERE workspace_id = $1 AND NOT is_recurring AND start_utc < $4 AND end_utc > $3
    UNION ALL SELECT * FROM calendar_events WHERE workspace_id = $1 AND is_recurring AND start_utc < $4
      AND (series_end_utc IS NULL OR series_end_utc > $3)) e ORDER BY start_utc, id LIMIT $2`;
const CREATE = `INSERT INTO tasks (id, workspace_id, version, title, status, priority, energy, duration_minutes,
    completed_minutes, position, due_at, is_hard_deadline, is_auto_scheduled, labels, assignee_id, created_by, created_at, updated_at)
  VALUES ($1, $2, 1, $3, 'todo', $4, 'medium', 30, 0, 0, $5, false, true, to_jsonb($6::text[]), $7, $7, now(), now()) RETURNING ${TASK}`;
const CALLER = "SELECT user_id FROM api_tokens WHERE token_hash = sha256(convert_to($1, 'UTF8'))";

// Instants travel as text, so no Date is made of each.
pg.types.setTypeParser(1184, (text) => text.replace(" ", "T").replace("+00", "Z"));

const connection = (found, first) => ({ nodes: found.slice(0, first), pageInfo: { hasNextPage: found.length > first } });
const callers = new Map();
const callerOf = async (authorization) => {
  const token = authorization?.replace("Bearer ", "");
  if (!callers.has(token)) callers.set(token, (await rows("caller", CALLER, [token]))[0]?.user_id);
  return callers.get(token);
};

const resolvers = {
  Query: {
    task: async (_, { id }) => (await rows("task", `SELECT ${TASK} FROM tasks WHERE id = $1`, [id]))[0],
    workspace: (_, { id }) => ({ id }),
  },
  Workspace: {
    tasks: async ({ id }, { first }) =>
      connection(
        await rows("tasks", `SELECT ${TASK} FROM tasks WHERE workspace_id = $1 ORDER BY due_at, id LIMIT $2`, [id, first + 1]),
        first,
      ),
    calendarEvents: async ({ id }, { first, filter }) =>
      connection(
        filter?.range
          ? await rows("week", WEEK, [id, first + 1, filter.range.start, filter.range.end])
          : await rows("events", PAGE, [id, first + 1]),
        first,
      ),
  },
  Mutation: {
    createTask: async (_, { input }, { caller, pubsub }) => {
      const { workspaceId, title, priority, dueAt, labels } = input;
      const [task] = await rows("create", CREATE, [randomUUID(), workspaceId, title, priority, dueAt, labels, caller]);
      pubsub.publish({ topic: workspaceId, payload: { taskChanged: { action: "CREATED", taskId: task.id, task } } });
      return { task, userErrors: [] };
    },
  },
  Subscription: {
    taskChanged: { subscribe: (_, { workspaceId }, { pubsub }) => pubsub.subscribe(workspaceId) },
  },
};

// A loader gets everything that one level needs; equal keys are asked for once.
const by = (name, text, key) => async (queries) => {
  const ids = [...new Set(queries.map(({ obj }) => obj[key]).filter(Boolean))];
  const found = new Map((ids.length ? await rows(name, text, [ids]) : []).map((row) => [row.id, row]));
  return queries.map(({ obj }) => found.get(obj[key]) ?? null);
};
const USERS = "SELECT id, name FROM users WHERE id = ANY ($1)";
const loaders = {
  Task: { assignee: by("users", USERS, "assigneeId"), createdBy: by("users", USERS, "createdById") },
  CalendarEvent: {
    calendar: by("calendars", "SELECT id, name, color FROM calendars WHERE id = ANY ($1)", "calendarId"),
    task: by("by-id", `SELECT ${TASK} FROM tasks WHERE id = ANY ($1)`, "taskId"),
  },
};

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema,
  resolvers,
  loaders,
  jit: 1,
  context: async (request) => ({ caller: await callerOf(request.headers.authorization) }),
  subscription: {
    fullWsTransport: false,
    onConnect: async ({ payload }) => ({ caller: await callerOf(payload.authorization) }),
  },
});
app.get("/readyz", async () => "ok");
await app.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
