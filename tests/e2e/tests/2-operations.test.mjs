// Every document of operations/ runs, with what a front end would send.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codes, person, socket } from '../support/client.mjs';
import { documents } from '../support/documents.mjs';
import { GOOD_EVENTS } from '../support/feed.mjs';
import { ada, bob, feedUrl } from '../support/setting.mjs';

const me = person(ada.token);
const stranger = person(bob.token);
const guest = person(undefined);
const live = socket(ada.token);
after(() => live.close());

const run = new Set();
after(() => assert.deepEqual([...documents.keys()].filter(name => !run.has(name)), [], 'not run'));

/** Marks operations as covered by the test that names them. */
function covers(names, title, body) {
  for (const name of names) run.add(name);
  test(title, body);
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

covers(['AppShell'], 'the shell of an application loads', async () => {
  const { viewer, serverInfo, rateLimit } = await me.data('AppShell');
  assert.equal(viewer.user.email, ada.email);
  assert.equal(viewer.id, viewer.user.id);
  assert.ok(viewer.workspaces.some(({ id }) => id === ada.workspaceId));
  assert.ok(Math.abs(new Date(serverInfo.now) - Date.now()) < 60_000);
  assert.ok(rateLimit.remaining < rateLimit.limit);

  const anonymous = await guest.data('AppShell');
  assert.equal(anonymous.viewer, null);
});

covers(['CreateTask', 'UpdateTask', 'CompleteTask', 'TaskDetail'], 'a task lives from creation to completion', async () => {
  const { task } = await me.command('CreateTask', {
    input: {
      workspaceId: ada.workspaceId,
      title: 'Write the report',
      priority: 'HIGH',
      durationMinutes: 90,
      labels: ['work'],
      dueAt: '2030-01-15T12:00:00Z',
    },
  });
  assert.match(task.id, /^task_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.deepEqual([task.status, task.priority, task.labels], ['TODO', 'HIGH', ['work']]);
  assert.equal(new Date(task.dueAt).getTime(), Date.UTC(2030, 0, 15, 12));

  const updated = await me.command('UpdateTask', {
    id: task.id,
    input: { title: 'Write the whole report', dueAt: null, expectedVersion: task.version },
  });
  assert.deepEqual([updated.task.title, updated.task.dueAt], ['Write the whole report', null]);
  assert.equal(updated.task.durationMinutes, 90);

  const stale = await me.data('UpdateTask', {
    id: task.id,
    input: { title: 'Lost update', expectedVersion: task.version },
  });
  assert.deepEqual(stale.updateTask.userErrors.map(({ code }) => code), ['VERSION_CONFLICT']);

  const completed = await me.command('CompleteTask', { id: task.id });
  assert.equal(completed.task.status, 'DONE');
  assert.ok(completed.task.completedAt);

  assert.equal((await me.data('TaskDetail', { id: task.id })).task.title, 'Write the whole report');
  assert.equal((await stranger.data('TaskDetail', { id: task.id })).task, null);
});

covers(['TaskList'], 'a task list is read page by page', async () => {
  const word = `pagination${Date.now()}`;
  for (let index = 0; index < 5; index += 1) {
    await me.command('CreateTask', { input: { workspaceId: ada.workspaceId, title: `${word} ${index}` } });
  }
  const seen = [];
  let after;
  do {
    const { workspace } = await me.data('TaskList', {
      workspaceId: ada.workspaceId,
      filter: { search: word },
      orderBy: { field: 'TITLE', direction: 'ASC' },
      first: 2,
      after,
    });
    assert.equal(workspace.tasks.totalCount, 5);
    seen.push(...workspace.tasks.edges.map(({ node }) => node.title));
    after = workspace.tasks.pageInfo.hasNextPage ? workspace.tasks.pageInfo.endCursor : null;
  } while (after && seen.length < 10);
  assert.deepEqual(seen, [0, 1, 2, 3, 4].map(index => `${word} ${index}`));

  const foreign = await stranger.ask('TaskList', { workspaceId: ada.workspaceId });
  assert.equal(foreign.data?.workspace ?? null, null);
});

covers(['CreateEvent', 'CalendarView'], 'timed and all-day events appear in the calendar', async () => {
  const timed = await me.command('CreateEvent', {
    input: {
      calendarId: ada.calendarId,
      title: 'Review',
      time: { timed: { start: '2031-03-03T09:00:00Z', end: '2031-03-03T10:30:00Z' } },
    },
  });
  const allDay = await me.command('CreateEvent', {
    input: {
      calendarId: ada.calendarId,
      title: 'Fair',
      time: { allDay: { startDate: '2031-03-04', endDate: '2031-03-06' } },
    },
  });
  assert.equal(timed.calendarEvent.isAllDay, false);
  assert.deepEqual([allDay.calendarEvent.startDate, allDay.calendarEvent.endDate], ['2031-03-04', '2031-03-06']);

  const { workspace } = await me.data('CalendarView', {
    workspaceId: ada.workspaceId,
    filter: {
      calendarIds: [ada.calendarId],
      range: { start: '2031-03-01T00:00:00Z', end: '2031-03-10T00:00:00Z' },
    },
  });
  const ids = workspace.calendarEvents.nodes.map(({ id }) => id);
  assert.ok(ids.includes(timed.calendarEvent.id) && ids.includes(allDay.calendarEvent.id));
  assert.ok(workspace.calendars.some(({ id, color }) => id === ada.calendarId && /^#[0-9a-f]{6}$/i.test(color)));

  const backwards = await me.data('CreateEvent', {
    input: {
      calendarId: ada.calendarId,
      title: 'Backwards',
      time: { timed: { start: '2031-03-03T10:00:00Z', end: '2031-03-03T09:00:00Z' } },
    },
  });
  assert.equal(backwards.createCalendarEvent.calendarEvent, null);
  assert.deepEqual(
    backwards.createCalendarEvent.userErrors.map(({ code }) => code),
    ['INVALID_TIME_RANGE'],
  );
});

covers(
  ['ConnectIntegration', 'SyncProgress', 'IntegrationDetail', 'NotificationReceived', 'Jobs', 'JobDetail', 'JobProgress'],
  'a feed is connected, its sync is watched to the end, and its events are there',
  async () => {
    const notifications = live.subscribe('NotificationReceived');
    await pause(1000);
    const { integration } = await me.command('ConnectIntegration', {
      input: { workspaceId: ada.workspaceId, service: { icsFeed: { url: feedUrl, name: 'Feed' } } },
    });
    assert.equal(integration.provider, 'ICS_FEED');

    const progress = live.subscribe('SyncProgress', { integrationId: integration.id });
    let processed = 0;
    const last = await progress.until(({ processedCount, run }) => {
      assert.ok(processedCount >= processed, 'progress never goes back');
      processed = processedCount;
      return run.finishedAt !== null;
    }, 'the end of the sync');
    progress.stop();
    assert.equal(last.run.status, 'SUCCEEDED', last.run.error ?? '');
    assert.equal(last.run.createdCount, GOOD_EVENTS);
    assert.equal(last.run.problemCount, 1);

    const notification = await notifications.until(
      ({ subject }) => subject?.id === integration.id,
      'a notification about the sync',
    );
    assert.equal(notification.readAt, null);
    notifications.stop();

    const detail = (await me.data('IntegrationDetail', { id: integration.id })).integration;
    assert.deepEqual(detail.calendars.map(({ name, isReadOnly }) => [name, isReadOnly]), [['Feed', true]]);
    assert.equal((await stranger.data('IntegrationDetail', { id: integration.id })).integration, null);

    const { workspace } = await me.data('CalendarView', {
      workspaceId: ada.workspaceId,
      filter: { calendarIds: [detail.calendars[0].id] },
      first: 1,
    });
    assert.equal(workspace.calendarEvents.totalCount, GOOD_EVENTS);

    const { job } = detail.recentSyncs[0];
    const states = await live.subscribe('JobProgress', { jobId: job.id }).rest();
    assert.equal(states.at(-1).status, 'SUCCEEDED');
    assert.equal((await me.data('JobDetail', { id: job.id })).job.queue, 'CALENDAR_SYNC');

    // Only an installation admin sees the jobs of everybody.
    const { viewer } = await me.data('AppShell');
    const all = await me.ask('Jobs', { filter: { queues: ['CALENDAR_SYNC'] }, first: 10 });
    if (viewer.isAdmin) assert.ok(all.data.jobs.nodes.some(({ id }) => id === job.id));
    else assert.deepEqual(codes(all.errors), ['FORBIDDEN']);
  },
);

covers(['ChangeCursor', 'ChangesSince'], 'a client that was away reads what changed', async () => {
  const before = (await me.data('ChangeCursor', { workspaceId: ada.workspaceId })).workspace.changeCursor;
  const { task } = await me.command('CreateTask', { input: { workspaceId: ada.workspaceId, title: 'While away' } });
  const { changes } = (await me.data('ChangesSince', { workspaceId: ada.workspaceId, after: before })).workspace;
  const created = changes.nodes.find(({ objectId }) => objectId === task.id);
  assert.deepEqual([created.action, created.objectType, created.object.id], ['CREATED', 'Task', task.id]);
  const later = (await me.data('ChangesSince', { workspaceId: ada.workspaceId, after: changes.endCursor })).workspace;
  assert.deepEqual(later.changes.nodes, []);
});

// These have a file of their own.
for (const name of ['TaskChanged', 'EventChanged']) run.add(name);
