// An ICS feed on this machine, for the server to fetch.
import { createServer } from 'node:http';

/** Events in the feed that can be read. */
export const GOOD_EVENTS = 120;

/** Serves `/feed.ics` on a port of 127.0.0.1, and `/locked-….ics`, each of which can be read once. */
export async function serveFeed(port) {
  const body = feed();
  const known = new Set();
  const etag = '"feed-1"';
  const server = createServer((request, response) => {
    const isLocked = request.url.startsWith('/locked-');
    if (isLocked && known.has(request.url)) {
      // Open while it is connected, closed ever after: trying again is of no use.
      response.writeHead(401).end();
    } else if (request.url !== '/feed.ics' && !isLocked) {
      response.writeHead(404).end();
    } else if (isLocked) {
      known.add(request.url);
      response.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8' }).end(body);
    } else if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
    } else {
      response.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8', etag }).end(body);
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${port}/feed.ics`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Many readable events and one that no parser can place in time. */
function feed() {
  const events = Array.from({ length: GOOD_EVENTS }, (_, index) => {
    const hour = String(8 + (index % 10)).padStart(2, '0');
    const day = String(1 + Math.floor(index / 10)).padStart(2, '0');
    return event(`good-${index}`, [
      `DTSTART:202612${day}T${hour}0000Z`,
      `DTEND:202612${day}T${hour}3000Z`,
      `SUMMARY:Feed event ${index}`,
    ]);
  });
  const broken = event('broken', ['DTSTART:the day before yesterday', 'SUMMARY:Broken']);
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Meridian//end-to-end tests//EN',
    ...events.flat(),
    ...broken,
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

function event(uid, lines) {
  return ['BEGIN:VEVENT', `UID:${uid}@feed.example`, 'DTSTAMP:20261101T080000Z', ...lines, 'END:VEVENT'];
}
