// What one person does through urql, another window sees through graphql-ws: live, and again when
// it resumes. With a second replica the two sit on different servers.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { person, socket } from '../support/client.mjs';
import { ada, bob } from '../support/setting.mjs';

const me = person(ada.token);
const window = socket(ada.token);
after(() => window.close());

const { workspaceId } = ada;
const cursor = async () => (await me.data('ChangeCursor', { workspaceId })).workspace.changeCursor;
const create = async title => (await me.command('CreateTask', { input: { workspaceId, title } })).task;
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

test('a mutation through urql arrives in a graphql-ws subscription', async () => {
  const changes = window.subscribe('TaskChanged', { workspaceId });
  await pause(1000);
  const task = await create('Seen live');
  const created = await changes.until(({ taskId }) => taskId === task.id, 'the new task');
  assert.deepEqual([created.action, created.task.title], ['CREATED', 'Seen live']);

  await me.command('CompleteTask', { id: task.id });
  const completed = await changes.until(({ taskId }) => taskId === task.id, 'its completion');
  assert.deepEqual([completed.action, completed.task.status], ['UPDATED', 'DONE']);
  changes.stop();
});

test('an event arrives only where its calendar is watched', async () => {
  const from = await cursor();
  const changes = window.subscribe('EventChanged', { workspaceId, calendarIds: [ada.calendarId], after: from });
  const { calendarEvent } = await me.command('CreateEvent', {
    input: {
      calendarId: ada.calendarId,
      title: 'Seen live',
      time: { timed: { start: '2031-05-05T09:00:00Z', end: '2031-05-05T10:00:00Z' } },
    },
  });
  const change = await changes.until(({ calendarEventId }) => calendarEventId === calendarEvent.id);
  assert.deepEqual([change.action, change.calendarEvent.title], ['CREATED', 'Seen live']);
  changes.stop();
});

test('a subscriber that resumes gets what it missed: in order, without gap or duplicate', async () => {
  const from = await cursor();
  const missed = [];
  for (let index = 0; index < 20; index += 1) missed.push((await create(`Missed ${index}`)).id);

  const changes = window.subscribe('TaskChanged', { workspaceId, after: from });
  const fresh = [];
  for (let index = 0; index < 5; index += 1) fresh.push((await create(`Fresh ${index}`)).id);
  const got = [];
  while (got.length < missed.length + fresh.length) got.push(await changes.until(() => true, 'the next change'));
  changes.stop();
  assert.deepEqual(got.map(({ taskId }) => taskId), [...missed, ...fresh]);
  assert.equal(new Set(got.map(({ cursor }) => cursor)).size, got.length);

  // Again from the middle, over a new connection.
  const again = socket(ada.token);
  const middle = got[9];
  const rest = again.subscribe('TaskChanged', { workspaceId, after: middle.cursor });
  const next = await rest.until(() => true, 'the change after the middle');
  assert.deepEqual([next.taskId, next.cursor], [got[10].taskId, got[10].cursor]);
  again.close();
});

test('a stranger cannot watch a workspace', async () => {
  const elsewhere = socket(bob.token);
  const changes = elsewhere.subscribe('TaskChanged', { workspaceId });
  await assert.rejects(changes.rest(), /NOT_FOUND|FORBIDDEN/);
  elsewhere.close();
});
