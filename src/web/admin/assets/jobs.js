// The dashboard of the jobs. What comes from the server is only ever text here: no markup is made of it.
const EVERY = 2000;
const KEY = 'meridian-operator-token';

const byId = id => document.getElementById(id);
const board = byId('board');
const enter = byId('enter');
let token = sessionStorage.getItem(KEY);
let timer;
let older = [];
let next = null;
let look = 0;

/** Asks the server; signs out when it does not know the token. */
async function ask(path, method = 'GET') {
  const answer = await fetch(`/admin/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    cache: 'no-store',
    credentials: 'omit',
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const message = body.error?.message ?? `The server answered ${answer.status}.`;
  if (answer.status === 401 || answer.status === 403) leave();
  throw new Error(message);
}

function say(text, isProblem = false) {
  byId('state').textContent = text;
  byId('state').classList.toggle('problem', isProblem);
}

function leave() {
  clearTimeout(timer);
  token = null;
  sessionStorage.removeItem(KEY);
  show();
}

function show() {
  enter.hidden = token !== null;
  board.hidden = token === null;
  byId('leave').hidden = token === null;
}

function cell(text, className = '') {
  const made = document.createElement('td');
  made.textContent = text;
  made.className = className;
  return made;
}

function button(label, run, question) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = label;
  made.addEventListener('click', async () => {
    if (question && !confirm(question)) return;
    made.disabled = true;
    try {
      say(await run());
    } catch (error) {
      say(error.message, true);
    }
    // What was fetched page by page may say something else now.
    older = [];
    await refresh(true);
  });
  return made;
}

const rate = number => (number === 0 ? '0' : number < 10 ? number.toFixed(1) : String(Math.round(number)));

function age(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 120) return `${Math.max(0, seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

function queueRow(queue) {
  const row = document.createElement('tr');
  row.dataset.queue = queue.name;
  row.classList.toggle('paused', queue.isPaused);
  const name = document.createElement('th');
  name.scope = 'row';
  name.textContent = queue.name;
  const actions = document.createElement('td');
  const path = `queues/${encodeURIComponent(queue.name)}`;
  const [verb, action] = queue.isPaused ? ['Resume', 'resume'] : ['Pause', 'pause'];
  actions.append(
    button(verb, async () => {
      await ask(`${path}/${action}`, 'POST');
      return `${queue.name}: ${queue.isPaused ? 'workers take jobs again' : 'workers take no new jobs'}.`;
    }),
  );
  if (queue.dead > 0) {
    const question = `Put all ${queue.dead} dead jobs of ${queue.name} back?`;
    const requeue = async () => {
      const { requeued } = await ask(`${path}/requeue-dead`, 'POST');
      return `${requeued} jobs of ${queue.name} are back.`;
    };
    actions.append(button('Requeue dead', requeue, question));
  }
  row.append(
    name,
    cell(queue.queued, 'number'),
    cell(age(queue.oldestSeconds), queue.oldestSeconds > 300 ? 'number alarm' : 'number'),
    cell(queue.running, 'number'),
    cell(queue.retrying, 'number'),
    cell(queue.dead, queue.dead > 0 ? 'number alarm' : 'number'),
    cell(rate(queue.donePerMinute), 'number'),
    cell(rate(queue.diedPerMinute), queue.diedPerMinute > 0 ? 'number alarm' : 'number'),
    cell(queue.succeededLastDay, 'number'),
    cell(queue.workers, queue.workers === 0 ? 'number alarm' : 'number'),
    actions,
  );
  return row;
}

function jobRow(job) {
  const row = document.createElement('tr');
  row.dataset.job = job.id;
  const actions = document.createElement('td');
  const act = (label, action, done, question) => {
    const run = async () => {
      await ask(`jobs/${encodeURIComponent(job.id)}/${action}`, 'POST');
      return `${job.id} ${done}.`;
    };
    actions.append(button(label, run, question));
  };
  if (job.status === 'dead' || job.status === 'cancelled') act('Requeue', 'requeue', 'is back in its queue');
  if (job.status === 'dead') act('Discard', 'discard', 'is gone', `Delete ${job.id} for good?`);
  if (['queued', 'retrying', 'running'].includes(job.status) && !job.cancelRequested) {
    act('Cancel', 'cancel', 'was cancelled', `Cancel ${job.id}?`);
  }
  const progress = job.progressPercent === null ? '' : ` ${job.progressPercent} %`;
  const asked = job.cancelRequested && job.status === 'running' ? ', asked to stop' : '';
  row.append(
    cell(job.id, 'id'),
    cell(job.isUrgent ? `${job.kind} (somebody waits)` : job.kind),
    cell(`${job.status}${progress}${asked}`, job.status === 'dead' ? 'alarm' : ''),
    cell(`${job.attempts} of ${job.maxAttempts}`, 'number'),
    cell(age(job.ageSeconds), 'number'),
    cell(job.workspaceId ?? 'installation', 'id'),
    cell(job.lastError ?? '', 'error'),
    actions,
  );
  return row;
}

/** The rows a person points at must not move below the pointer: rows stay where nothing changed. */
function replace(body, rows) {
  const kept = [...body.children];
  const isSame = kept.length === rows.length && kept.every((row, index) => row.isEqualNode(rows[index]));
  if (!isSame) body.replaceChildren(...rows);
}

function nameQueues(queues) {
  const select = byId('queue');
  if (select.options.length > 1) return;
  for (const { name } of queues) {
    const option = document.createElement('option');
    option.value = option.textContent = name;
    select.append(option);
  }
}

function listPath(after) {
  const wanted = new URLSearchParams();
  for (const name of ['status', 'queue']) if (byId(name).value) wanted.set(name, byId(name).value);
  if (after) wanted.set('after', after);
  return `jobs?${wanted}`;
}

async function refresh(isQuiet = false) {
  clearTimeout(timer);
  if (token === null) return;
  const mine = ++look;
  try {
    const [{ queues }, page] = await Promise.all([ask('queues'), ask(listPath())]);
    if (mine !== look) return;
    nameQueues(queues);
    replace(document.querySelector('#queues tbody'), queues.map(queueRow));
    const seen = new Set(page.jobs.map(job => job.id));
    const jobs = [...page.jobs, ...older.filter(job => !seen.has(job.id))];
    replace(document.querySelector('#jobs tbody'), jobs.map(jobRow));
    if (older.length === 0) next = page.next;
    byId('empty').hidden = jobs.length > 0;
    byId('more').hidden = next === null;
    show();
    if (!isQuiet) say(`As of ${new Date().toLocaleTimeString()}`);
  } catch (error) {
    if (mine === look) say(error.message, true);
  } finally {
    if (mine === look && token !== null) timer = setTimeout(refresh, document.hidden ? EVERY * 15 : EVERY);
  }
}

byId('filter').addEventListener('change', () => {
  older = [];
  void refresh();
});
byId('more').addEventListener('click', async () => {
  try {
    const page = await ask(listPath(next));
    older = [...older, ...page.jobs];
    next = page.next;
  } catch (error) {
    say(error.message, true);
  }
  await refresh(true);
});
byId('leave').addEventListener('click', () => {
  leave();
  say('');
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
enter.addEventListener('submit', event => {
  event.preventDefault();
  token = byId('token').value.trim();
  byId('token').value = '';
  if (!token) return leave();
  sessionStorage.setItem(KEY, token);
  void refresh();
});

show();
void refresh();
