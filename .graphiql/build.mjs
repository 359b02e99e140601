// Bundles GraphiQL for src/web/graphiql: `npm ci && npm run build`. The output is committed, so
// that building the server needs no Node. Every file is compressed with brotli once, here.
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const room = resolve(here, '../src/web/graphiql');
const assets = join(room, 'assets');
const LICENCES = 'THIRD-PARTY-LICENSES.txt';

const CONTENT_TYPES = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
};

const common = {
  absWorkingDir: here,
  outdir: 'out',
  write: false,
  bundle: true,
  minify: true,
  metafile: true,
  target: ['chrome111', 'firefox115', 'safari16.4'],
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.ttf': 'file' },
  // framer-motion asks for it and works without it.
  alias: { '@emotion/is-prop-valid': './src/empty.js' },
  logLevel: 'warning',
};

const workers = await build({
  ...common,
  format: 'iife',
  entryPoints: {
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
});
const workerNames = Object.fromEntries(
  workers.outputFiles.map(file => [basename(file.path).split('.')[0], `./${basename(file.path)}`]),
);

const page = await build({
  ...common,
  format: 'esm',
  jsx: 'automatic',
  define: { ...common.define, WORKERS: JSON.stringify(workerNames) },
  entryPoints: { main: 'src/main.jsx' },
});

const files = new Map(
  [...workers.outputFiles, ...page.outputFiles].map(file => [basename(file.path), Buffer.from(file.contents)]),
);
files.set(LICENCES, Buffer.from(licences([workers.metafile, page.metafile])));

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
const rows = [];
let total = 0;
for (const name of [...files.keys()].sort()) {
  const compressed = compress(files.get(name));
  total += compressed.length;
  writeFileSync(join(assets, `${name}.br`), compressed);
  rows.push({ name, type: CONTENT_TYPES[extname(name)], etag: hash(files.get(name)) });
  if (!rows.at(-1).type) throw new Error(`no content type for ${name}`);
}
writeFileSync(join(assets, 'index.html'), index([...files.keys()]));
writeFileSync(join(room, 'files.rs'), rust(rows));
execFileSync('rustfmt', ['--config-path', resolve(here, '..'), join(room, 'files.rs')]);
console.log(`${rows.length} files, ${(total / 1e6).toFixed(2)} MB compressed`);

function compress(content) {
  return brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

function hash(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 20);
}

function index(names) {
  const pick = extension => names.find(name => name.startsWith('main-') && name.endsWith(extension));
  return readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace('{{main.css}}', pick('.css'))
    .replace('{{main.js}}', pick('.js'));
}

function rust(rows) {
  const entries = rows.map(
    ({ name, type, etag }) =>
      `File { name: "${name}", content_type: "${type}", etag: "\\"${etag}\\"", bytes: include_bytes!("assets/${name}.br") },`,
  );
  return `//! The built files of GraphiQL. Written by \`.graphiql/build.mjs\`; change the build, not this list.
//!
//! Promises: sorted by name, every file compressed with brotli. Must not know who serves them.

/// One built file.
pub(super) struct File {
    /// Name below \`/graphiql/assets/\`.
    pub(super) name: &'static str,
    /// Value of \`Content-Type\`.
    pub(super) content_type: &'static str,
    /// Strong entity tag of the uncompressed content, quotes included.
    pub(super) etag: &'static str,
    /// Content, compressed with brotli.
    pub(super) bytes: &'static [u8],
}

/// All files, sorted by name.
pub(super) const FILES: &[File] = &[
${entries.join('\n')}
];
`;
}

/** The licence of every package of which a line is in the bundle. */
function licences(metafiles) {
  const folders = new Set();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const path of Object.keys(inputs)) {
        const match = path.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/);
        if (match) folders.add(match[0]);
      }
    }
  }
  const sections = [...folders].sort().map(folder => {
    const home = join(here, folder);
    const { name, version, license, author } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    if (!license) throw new Error(`${name} names no licence`);
    const texts = readdirSync(home)
      .filter(file => /^(licen[cs]e|notice|copying|thirdpartynotices)/i.test(file))
      .sort()
      .map(file => readFileSync(join(home, file), 'utf8').trim());
    const by = typeof author === 'string' ? author : author?.name;
    return [`${name} ${version}`, `License: ${license}`, ...(by ? [`Author: ${by}`] : []), '', ...texts].join('\n');
  });
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `GraphiQL as served by Meridian is bundled from the packages below.${rule}${sections.join(rule)}\n`;
}
