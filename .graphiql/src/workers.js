// Monaco's three workers are entry points of their own, served by this server. The names are put
// in by the build because they carry a hash of the content.
/* global WORKERS */
globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const name = WORKERS[label] ?? WORKERS.editor;
    return new Worker(new URL(name, import.meta.url), { name: label });
  },
};
