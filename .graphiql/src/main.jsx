// The GraphiQL page. Everything it needs comes from this server; its settings come from the page
// as JSON, because the content security policy allows no inline script.
import './workers.js';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import { createFetcher } from './fetcher.js';

const settings = JSON.parse(document.getElementById('meridian-settings').textContent);

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={createFetcher(settings)}
    defaultQuery={settings.defaultQuery}
    defaultHeaders={settings.defaultHeaders}
    defaultEditorToolsVisibility="headers"
    inputValueDeprecation
    // A token must not outlive the tab in the browser's storage.
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
  >
    <GraphiQL.Logo>
      <span className="graphiql-logo-link">{settings.title ?? 'Meridian'}</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
