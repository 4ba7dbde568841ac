// http2_client.js PORT CA: many requests over one connection with Node's own client of HTTP/2.
// Prints what came of them as JSON.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');

const [port, ca] = process.argv.slice(2);
const session = http2.connect(`https://127.0.0.1:${port}`,
  { ca: fs.readFileSync(ca), servername: 'a.example' });
const digest = bytes => crypto.createHash('sha256').update(bytes).digest('hex');

function ask(headers, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':authority': 'a.example', ...headers }, { endStream: body === undefined });
    const chunks = [];
    let head = {}, trailers = {};
    stream.on('response', fields => { head = fields; });
    stream.on('trailers', fields => { trailers = fields; });
    stream.on('data', chunk => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => resolve({ head, trailers, body: Buffer.concat(chunks) }));
    if (body !== undefined) stream.end(body);
  });
}

// Its answer never ends; it is let go of, and the connection serves the others.
function abandon() {
  return new Promise(resolve => {
    const stream = session.request({ ':authority': 'a.example', ':path': '/endless' });
    stream.on('error', () => {});
    stream.on('close', () => resolve(stream.rstCode));
    stream.once('data', () => stream.close(http2.constants.NGHTTP2_CANCEL));
  });
}

async function main() {
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  const answers = await Promise.all(numbers.map(i => ask({ ':path': `/${i}` })));
  const large = crypto.randomBytes(3 << 20);
  const echo = await ask({ ':path': '/echo', ':method': 'POST' }, large);
  const abandoned = await abandon();
  const trailed = await ask({ ':path': '/trailers', te: 'trailers' });
  const last = await ask({ ':path': '/last' });
  console.log(JSON.stringify({
    right: answers.filter((a, i) => a.head[':status'] === 200 && `${a.body}` === `/${i}`).length,
    echoed: digest(echo.body) === digest(large),
    abandoned,
    trailer: trailed.trailers['x-sum'],
    last: `${last.body}`,
    protocol: session.alpnProtocol,
  }));
  session.close();
}

main().catch(error => { console.error(error); process.exit(1); });
