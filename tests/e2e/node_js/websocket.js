// websocket.js serve: a server of WebSockets that echoes, on a port that it prints, until its input
// ends. websocket.js ask URL CA: a client; prints what came of it as JSON.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { WebSocket, WebSocketServer } = require('ws');

function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    console.log(server.address().port);
  });
  server.on('connection', (socket, request) => {
    socket.send(request.url);
    socket.on('message', (data, binary) => {
      if (!binary && `${data}` === 'go') return socket.close(4001, 'gone');
      socket.send(data, { binary });
    });
  });
  process.stdin.on('end', () => process.exit(0)).resume();
}

async function ask(url, ca) {
  const socket = new WebSocket(url, { ca: fs.readFileSync(ca), servername: 'a.example' });
  const messages = [], waiting = [];
  socket.on('message', (data, binary) => {
    const next = waiting.shift();
    next ? next({ data, binary }) : messages.push({ data, binary });
  });
  const message = () => messages.length ? messages.shift()
    : new Promise(resolve => waiting.push(resolve));
  const closed = new Promise(resolve => {
    socket.on('close', (code, reason) => resolve([code, `${reason}`]));
  });
  socket.on('error', error => { console.error(error); process.exit(1); });
  const uri = `${(await message()).data}`;
  const large = crypto.randomBytes(2 << 20);
  socket.send(large);
  const back = await message();
  const pong = new Promise(resolve => socket.on('pong', data => resolve(`${data}`)));
  socket.ping('are you there');
  const ponged = await pong;
  socket.send('go');
  console.log(JSON.stringify({
    uri, ponged, echoed: back.binary && large.equals(back.data), closed: await closed,
  }));
}

process.argv[2] === 'serve' ? serve() : ask(...process.argv.slice(3));
