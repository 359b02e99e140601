// Code as a front end would write it. It is type-checked, never run: what matters is that names,
// arguments and nullability of the generated types are the ones that the API promises.
import { Client, fetchExchange } from '@urql/core';
import {
  CalendarViewDocument,
  CreateEventDocument,
  CreateTaskDocument,
  SyncProgressDocument,
  TaskChangedDocument,
  TaskListDocument,
  type TaskRowFragment,
  type UserErrorFieldsFragment,
} from '../generated/graphql';

const client = new Client({ url: '/graphql', exchanges: [fetchExchange] });

export async function titlesOf(workspaceId: string): Promise<string[]> {
  const { data } = await client.query(TaskListDocument, {
    workspaceId,
    filter: { statuses: ['TODO', 'IN_PROGRESS'] },
    orderBy: { field: 'DUE_AT', direction: 'DESC' },
  });
  return data?.workspace?.tasks.edges.map(({ node }) => node.title) ?? [];
}

export async function addTask(workspaceId: string, title: string): Promise<TaskRowFragment> {
  const { data } = await client.mutation(CreateTaskDocument, { input: { workspaceId, title } });
  const payload = data?.createTask;
  if (!payload?.task) throw new Error(payload?.userErrors.map(explain).join('\n'));
  return payload.task;
}

export function addHoliday(calendarId: string, startDate: string, endDate: string) {
  return client.mutation(CreateEventDocument, {
    input: { calendarId, title: 'Holiday', time: { allDay: { startDate, endDate } } },
  });
}

export async function coloursOf(workspaceId: string): Promise<Map<string, string>> {
  const { data } = await client.query(CalendarViewDocument, { workspaceId });
  return new Map(data?.workspace?.calendars.map(({ id, color }) => [id, color] as const));
}

export function watch(workspaceId: string, after: string | null) {
  return client.subscription(TaskChangedDocument, { workspaceId, after }).subscribe(({ data }) => {
    const change = data?.taskChanged;
    if (change?.action === 'DELETED') {
      const gone: string = change.taskId;
      console.log(gone);
    }
  });
}

export function percentOf(integrationId: string, show: (percent: number | null) => void) {
  return client
    .subscription(SyncProgressDocument, { integrationId })
    .subscribe(({ data }) => show(data?.syncProgress.percent ?? null));
}

function explain({ code, field, message }: UserErrorFieldsFragment): string {
  return `${code} ${field?.join('.') ?? ''} ${message}`;
}
