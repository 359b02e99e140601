// A mail server on this machine that keeps what it gets, without TLS, as a sink beside the program may.
import { createServer } from 'node:net';

/** Serves it on a port of 127.0.0.1. */
export async function serveMailbox(port) {
  const letters = [];
  const waiting = [];
  const server = createServer(socket => {
    let rest = '';
    let letter = null;
    const say = line => socket.write(`${line}\r\n`);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', part => {
      const lines = (rest + part).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (letter) {
          if (line !== '.') {
            letter.push(line.replace(/^\./, ''));
            continue;
          }
          letters.push(letter.join('\r\n'));
          letter = null;
          for (const wake of waiting.splice(0)) wake();
          say('250 kept');
        } else if (/^EHLO/i.test(line)) say('250 mailbox');
        else if (/^DATA/i.test(line)) {
          letter = [];
          say('354 go on');
        } else if (/^QUIT/i.test(line)) {
          say('221 bye');
          socket.end();
        } else say('250 fine');
      }
    });
    say('220 mailbox');
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  /** The address in the first letter that has one like this. */
  async function link(pattern) {
    for (;;) {
      for (const letter of letters) {
        const found = readable(letter).match(pattern);
        if (found) return new URL(found[0]);
      }
      await new Promise(resolve => waiting.push(resolve));
    }
  }
  return { link, close: () => server.close() };
}

/** Quoted-printable undone, as far as addresses need it. */
function readable(letter) {
  return letter
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
