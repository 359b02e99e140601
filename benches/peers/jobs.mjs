// What other job queues take for the same work: many jobs that do nothing, made one by one and then worked off; and how soon an idle worker
// starts a new one. Prints one line of JSON. Started by benches/run --jobs.
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    row: { type: 'string' },
    database: { type: 'string' },
    jobs: { type: 'string' },
    samples: { type: 'string' },
    slots: { type: 'string' },
    producers: { type: 'string' },
  },
});
const [jobs, samples, slots, producers] = ['jobs', 'samples', 'slots', 'producers'].map(name => Number(values[name]));
const PATIENCE = 300_000;

const seconds = since => (performance.now() - since) / 1000;
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

/** Runs `make` so often, so many at a time. */
async function produce(make) {
  let left = jobs;
  const producer = async () => {
    while (left-- > 0) await make();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: producers }, producer));
  return seconds(began);
}

/** Waits until nothing is left. */
async function until(isDone) {
  const began = performance.now();
  while (!(await isDone())) {
    if (performance.now() - began > PATIENCE) throw new Error('the jobs do not end');
    await pause(10);
  }
}

/** Start latencies of single jobs on idle workers. `make` makes a job whose start calls `start` with its number. */
async function latencies(make, started) {
  const found = [];
  for (let number = 0; number < samples; number += 1) {
    const before = performance.now();
    const start = new Promise(done => started.set(number, done));
    await make(number);
    await Promise.race([start, pause(30_000).then(() => Promise.reject(new Error('a job does not start')))]);
    found.push(performance.now() - before);
    await pause(20);
  }
  return found.sort((a, b) => a - b);
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function report(enqueue, work, sorted) {
  const row = {
    row: values.row,
    jobs,
    enqueuePerSecond: jobs / enqueue,
    workPerSecond: jobs / work,
    throughPerSecond: jobs / (enqueue + work),
    startP50: at(sorted, 0.5),
    startP99: at(sorted, 0.99),
  };
  console.log(JSON.stringify(row));
}

async function graphile(isBatched) {
  const { makeWorkerUtils, run, Logger } = await import('graphile-worker');
  const { default: pg } = await import('pg');
  const logger = new Logger(() => () => {});
  const pgPool = new pg.Pool({ connectionString: values.database, max: producers + slots + 2 });
  pgPool.on('error', error => console.error(error));
  pgPool.on('connect', client => client.on('error', error => console.error(error)));
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const enqueue = await produce(() => utils.addJob('nothing', { number: -1 }));

  let done = 0;
  const started = new Map();
  const taskList = {
    nothing: async ({ number }) => {
      done += 1;
      started.get(number)?.();
    },
  };
  const batched = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  const preset = { worker: { concurrentJobs: slots, ...(isBatched ? batched : {}) } };
  const began = performance.now();
  const runner = await run({ pgPool, logger, taskList, noHandleSignals: true, preset, concurrency: slots });
  await until(() => done >= jobs);
  const left = () => pgPool.query('SELECT 1 FROM graphile_worker._private_jobs LIMIT 1');
  await until(async () => (await left()).rowCount === 0);
  const work = seconds(began);
  report(enqueue, work, await latencies(number => utils.addJob('nothing', { number }), started));
  await runner.stop();
  await pgPool.end();
}

async function boss(batchSize) {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({ connectionString: values.database, max: producers + slots + 2, useListenNotify: true });
  boss.on('error', error => console.error(error));
  await boss.start();
  await boss.createQueue('nothing', { notify: true });
  const enqueue = await produce(() => boss.send('nothing', { number: -1 }));

  // Its own workers poll; this is the fastest way through it: one after the other or a hundred at once, without handlers.
  let done = 0;
  const worker = async () => {
    for (;;) {
      const taken = await boss.fetch('nothing', { batchSize });
      if (taken.length === 0) return;
      await boss.complete('nothing', taken.map(job => job.id));
      done += taken.length;
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: slots }, worker));
  const work = seconds(began);
  if (done !== jobs) throw new Error(`${done} of ${jobs} were done`);

  const started = new Map();
  await boss.work('nothing', { pollingIntervalSeconds: 0.5 }, async ([job]) => started.get(job.data.number)?.());
  await pause(1_000);
  report(enqueue, work, await latencies(number => boss.send('nothing', { number }), started));
  await boss.stop({ graceful: false });
}

const rows = {
  'graphile-worker': () => graphile(false),
  'graphile-worker-batched': () => graphile(true),
  'pg-boss': () => boss(1),
  'pg-boss-batched': () => boss(100),
};
await rows[values.row]();
process.exit(0);
